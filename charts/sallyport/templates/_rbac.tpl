{{/* The ServiceAccount as the subject of a binding. */}}
{{- define "sallyport.subject" -}}
- kind: ServiceAccount
  name: {{ include "sallyport.serviceAccountName" . }}
  namespace: {{ include "sallyport.namespace" . }}
{{- end -}}

{{/* A Role and its binding. In: root, namespace, name, rules. */}}
{{- define "sallyport.role" -}}
apiVersion: rbac.authorization.k8s.io/v1
kind: Role
metadata:
  name: {{ .name }}
  namespace: {{ .namespace }}
  labels:
    {{- include "sallyport.labels" .root | nindent 4 }}
rules:
  {{- .rules | trim | nindent 2 }}
---
apiVersion: rbac.authorization.k8s.io/v1
kind: RoleBinding
metadata:
  name: {{ .name }}
  namespace: {{ .namespace }}
  labels:
    {{- include "sallyport.labels" .root | nindent 4 }}
roleRef:
  apiGroup: rbac.authorization.k8s.io
  kind: Role
  name: {{ .name }}
subjects:
  {{- include "sallyport.subject" .root | nindent 2 }}
{{- end -}}

{{/* A ClusterRole and its binding. In: root, name, rules. */}}
{{- define "sallyport.clusterRole" -}}
apiVersion: rbac.authorization.k8s.io/v1
kind: ClusterRole
metadata:
  name: {{ .name }}
  labels:
    {{- include "sallyport.labels" .root | nindent 4 }}
rules:
  {{- .rules | trim | nindent 2 }}
---
apiVersion: rbac.authorization.k8s.io/v1
kind: ClusterRoleBinding
metadata:
  name: {{ .name }}
  labels:
    {{- include "sallyport.labels" .root | nindent 4 }}
roleRef:
  apiGroup: rbac.authorization.k8s.io
  kind: ClusterRole
  name: {{ .name }}
subjects:
  {{- include "sallyport.subject" .root | nindent 2 }}
{{- end -}}

{{/* Kinds that live in a namespace: read them, and report on them. */}}
{{- define "sallyport.rules.namespaced" -}}
- apiGroups:
    - ''
  resources:
    - configmaps
    - services
  verbs:
    - list
    - watch
- apiGroups:
    - discovery.k8s.io
  resources:
    - endpointslices
  verbs:
    - list
    - watch
- apiGroups:
    - networking.k8s.io
  resources:
    - ingresses
  verbs:
    - list
    - watch
- apiGroups:
    - sallyport.dev
  resources:
    - routes
    - backendpolicies
  verbs:
    - list
    - watch
- apiGroups:
    - gateway.networking.k8s.io
  resources:
    - referencegrants
  verbs:
    - list
    - watch
- apiGroups:
    - networking.k8s.io
  resources:
    - ingresses/status
  verbs:
    - patch
- apiGroups:
    - sallyport.dev
  resources:
    - routes/status
    - backendpolicies/status
  verbs:
    - patch
- apiGroups:
    - events.k8s.io
  resources:
    - events
  verbs:
    - create
    - patch
{{- end -}}

{{/* Kinds that belong to no namespace. */}}
{{- define "sallyport.rules.cluster" -}}
- apiGroups:
    - networking.k8s.io
  resources:
    - ingressclasses
  verbs:
    - list
    - watch
{{- if .Values.controller.scope.namespaceSelector }}
- apiGroups:
    - ''
  resources:
    - namespaces
  verbs:
    - list
    - watch
{{- end }}
{{- end -}}

{{/* In the namespace of the pods: the Lease, and the Service whose addresses are published. Creation cannot go by name. */}}
{{- define "sallyport.rules.own" -}}
- apiGroups:
    - coordination.k8s.io
  resources:
    - leases
  verbs:
    - create
- apiGroups:
    - coordination.k8s.io
  resources:
    - leases
  resourceNames:
    - {{ include "sallyport.electionId" . }}
  verbs:
    - get
    - update
{{- end -}}

{{/* Secrets are watched one by one, by name, so these verbs may be narrowed by resourceNames. */}}
{{- define "sallyport.rules.secrets" -}}
- apiGroups:
    - ''
  resources:
    - secrets
  verbs:
    - list
    - watch
{{- end -}}

{{/*
Secrets that may be read by their names, as JSON: those of scope "names", and those that settings name where no wider right
reaches, because they may stand in the release's own namespace, which need not be watched.
*/}}
{{- define "sallyport.namedSecrets" -}}
{{- $secrets := .Values.rbac.secrets -}}
{{- $watched := (include "sallyport.watchedNamespaces" . | fromJson).namespaces -}}
{{- $named := ternary $secrets.names list (eq $secrets.scope "names") -}}
{{- range $flag := list "default-ssl-certificate" "ssl-session-ticket-secret" -}}
{{- $secret := default (index $.Values.controller.config $flag) (index $.Values.controller.extraArgs $flag) | toString -}}
{{- $namespace := first (splitList "/" $secret) -}}
{{- $isWide := eq $secrets.scope "cluster" -}}
{{- $reached := or (and $isWide (not $watched)) (and $isWide (has $namespace $watched)) (and (eq $secrets.scope "namespaces") (has $namespace $secrets.namespaces)) -}}
{{- if and (contains "/" $secret) (not $reached) -}}
{{- $named = append $named $secret -}}
{{- end -}}
{{- end -}}
{{- dict "secrets" $named | toJson -}}
{{- end -}}

{{/* In: resource, names. */}}
{{- define "sallyport.rules.named" -}}
- apiGroups:
    - ''
  resources:
    - {{ .resource }}
  resourceNames:
    {{- toYaml (.names | uniq | sortAlpha) | nindent 4 }}
  verbs:
    - list
    - watch
{{- end -}}

{{/* One Service by name, and the EndpointSlices of its namespace: these have no names that are known before. In: service, verbs. */}}
{{- define "sallyport.rules.backend" -}}
{{ include "sallyport.rules.named" (dict "resource" "services" "names" (list .service)) }}
- apiGroups:
    - discovery.k8s.io
  resources:
    - endpointslices
  verbs:
    {{- toYaml .verbs | nindent 4 }}
{{- end -}}
