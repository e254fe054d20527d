{{- define "sallyport.name" -}}
{{- default .Chart.Name .Values.nameOverride | trunc 63 | trimSuffix "-" -}}
{{- end -}}

{{/* The release's name, with the chart's unless it is part of it; leaves room for the suffixes below. */}}
{{- define "sallyport.fullname" -}}
{{- $name := include "sallyport.name" . -}}
{{- if .Values.fullnameOverride -}}
{{- .Values.fullnameOverride | trunc 48 | trimSuffix "-" -}}
{{- else if contains $name .Release.Name -}}
{{- .Release.Name | trunc 48 | trimSuffix "-" -}}
{{- else -}}
{{- printf "%s-%s" .Release.Name $name | trunc 48 | trimSuffix "-" -}}
{{- end -}}
{{- end -}}

{{- define "sallyport.namespace" -}}
{{- default .Release.Namespace .Values.namespaceOverride -}}
{{- end -}}

{{/* Cluster-scoped objects of two releases of one name in two namespaces must not collide. */}}
{{- define "sallyport.clusterName" -}}
{{- $name := include "sallyport.fullname" . -}}
{{- $namespace := include "sallyport.namespace" . -}}
{{- if eq $name $namespace -}}
{{- $name -}}
{{- else -}}
{{- printf "%s-%s" $namespace $name | trunc 63 | trimSuffix "-" -}}
{{- end -}}
{{- end -}}

{{- define "sallyport.selectorLabels" -}}
app.kubernetes.io/name: {{ include "sallyport.name" . }}
app.kubernetes.io/instance: {{ .Release.Name }}
app.kubernetes.io/component: controller
{{- end -}}

{{- define "sallyport.labels" -}}
helm.sh/chart: {{ printf "%s-%s" .Chart.Name .Chart.Version | replace "+" "_" | trunc 63 | trimSuffix "-" }}
{{ include "sallyport.selectorLabels" . }}
app.kubernetes.io/part-of: {{ include "sallyport.name" . }}
app.kubernetes.io/version: {{ .Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ .Release.Service }}
{{- with .Values.commonLabels }}
{{ toYaml . }}
{{- end }}
{{- end -}}

{{- define "sallyport.serviceAccountName" -}}
{{- if .Values.serviceAccount.create -}}
{{- default (include "sallyport.fullname" .) .Values.serviceAccount.name -}}
{{- else -}}
{{- default "default" .Values.serviceAccount.name -}}
{{- end -}}
{{- end -}}

{{- define "sallyport.image" -}}
{{- with .Values.controller.image -}}
{{- $path := .repository -}}
{{- if not $path -}}
{{- $path = ternary (printf "%s/%s" .registry .image) .image (ne .registry "") -}}
{{- end -}}
{{- if .digest -}}
{{- printf "%s@%s" $path .digest -}}
{{- else -}}
{{- printf "%s:%s" $path (default $.Chart.AppVersion .tag) -}}
{{- end -}}
{{- end -}}
{{- end -}}

{{- define "sallyport.ingressClass" -}}
{{- default .Values.controller.ingressClassResource.name .Values.controller.ingressClass -}}
{{- end -}}

{{- define "sallyport.electionId" -}}
{{- default (printf "%s-leader" (include "sallyport.fullname" .)) .Values.controller.electionID -}}
{{- end -}}

{{/* namespace/name of the Service whose addresses are published; empty: none. */}}
{{- define "sallyport.publishService" -}}
{{- with .Values.controller -}}
{{- if .publishService.enabled -}}
{{- if .publishService.pathOverride -}}
{{- .publishService.pathOverride -}}
{{- else if .service.enabled -}}
{{- printf "%s/%s" (include "sallyport.namespace" $) (include "sallyport.fullname" $) -}}
{{- end -}}
{{- end -}}
{{- end -}}
{{- end -}}

{{/* The watched namespaces as JSON; empty: all of them. */}}
{{- define "sallyport.watchedNamespaces" -}}
{{- $watched := list -}}
{{- with .Values.controller.scope -}}
{{- if .enabled -}}
{{- if .namespaces -}}
{{- $watched = .namespaces -}}
{{- else -}}
{{- $watched = list (default (include "sallyport.namespace" $) .namespace) -}}
{{- end -}}
{{- end -}}
{{- end -}}
{{- dict "namespaces" $watched | toJson -}}
{{- end -}}

{{/* More than one pod, now or later: then a PodDisruptionBudget makes sense. */}}
{{- define "sallyport.isReplicated" -}}
{{- with .Values.controller -}}
{{- if eq .kind "Deployment" -}}
{{- $replicas := ternary .autoscaling.minReplicas .replicaCount .autoscaling.enabled -}}
{{- if gt (int $replicas) 1 -}}true{{- end -}}
{{- end -}}
{{- end -}}
{{- end -}}

{{/* What the schema cannot say. */}}
{{- define "sallyport.check" -}}
{{- with .Values -}}
{{- if and .rbac.scope (not .controller.scope.enabled) -}}
{{- fail "rbac.scope is true: Roles alone reach some namespaces only, want controller.scope.enabled true as well" -}}
{{- end -}}
{{- if and .controller.scope.enabled .controller.scope.namespaceSelector -}}
{{- fail "controller.scope has enabled and namespaceSelector: want one of them" -}}
{{- end -}}
{{- if and (eq .rbac.secrets.scope "namespaces") (not .rbac.secrets.namespaces) -}}
{{- fail "rbac.secrets.scope is \"namespaces\": want at least one in rbac.secrets.namespaces" -}}
{{- end -}}
{{- if and .controller.autoscaling.enabled (ne .controller.kind "Deployment") -}}
{{- fail "controller.autoscaling.enabled is true: want controller.kind \"Deployment\"" -}}
{{- end -}}
{{- if lt (int .controller.terminationGracePeriodSeconds) (add 10 .controller.drainDelaySeconds | int) -}}
{{- fail (printf "controller.terminationGracePeriodSeconds is %d: want at least ten more than controller.drainDelaySeconds (%d)" (int .controller.terminationGracePeriodSeconds) (int .controller.drainDelaySeconds)) -}}
{{- end -}}
{{- if and .controller.hostNetwork .controller.hostPort.enabled (or (ne (int .controller.hostPort.ports.http) (int .controller.containerPort.http)) (ne (int .controller.hostPort.ports.https) (int .controller.containerPort.https))) -}}
{{- fail "controller.hostNetwork is true: the ports of pod and node are the same, want controller.containerPort equal to controller.hostPort.ports" -}}
{{- end -}}
{{- end -}}
{{- end -}}
