{{/* Flags of the process. One that stands in `config` or `extraArgs` too is left to them. */}}
{{- define "sallyport.args" -}}
- run
{{- with .Values.controller }}
{{- $watched := (include "sallyport.watchedNamespaces" $ | fromJson).namespaces }}
{{- $flags := list
  (list "http-port" .containerPort.http)
  (list "https-port" .containerPort.https)
  (list "admin-port" .metrics.port)
  (list "workers" .workers)
  (list "controller-class" .ingressClassResource.controllerValue)
  (list "ingress-class" (include "sallyport.ingressClass" $))
  (list "ingress-class-by-name" (ternary "true" "" (or .ingressClassByName $.Values.rbac.scope)))
  (list "watch-ingress-without-class" (ternary "true" "" .watchIngressWithoutClass))
  (list "watch-namespace" (join "," $watched))
  (list "watch-namespace-selector" .scope.namespaceSelector)
  (list "publish-service" (include "sallyport.publishService" $))
  (list "election-id" (include "sallyport.electionId" $))
  (list "default-backend-service" .defaultBackendService)
  (list "drain-delay" (printf "%ds" (int .drainDelaySeconds)))
  (list "grace-period" (printf "%ds" (sub (int .terminationGracePeriodSeconds) 5)))
  (list "log-level" .logLevel)
  (list "config" (ternary "/etc/sallyport/config.yaml" "" (gt (len .config) 0)))
}}
{{- $config := .config }}
{{- $extraArgs := .extraArgs }}
{{- range $flags }}
{{- $flag := first . }}
{{- $value := last . | toString }}
{{- if and (ne $value "") (not (hasKey $config $flag)) (not (hasKey $extraArgs $flag)) }}
- {{ printf "--%s=%s" $flag $value }}
{{- end }}
{{- end }}
{{- range $flag, $value := $extraArgs }}
{{- $text := ternary $value (toJson $value) (kindIs "string" $value) }}
- {{ ternary (printf "--%s" $flag) (printf "--%s=%s" $flag $text) (eq (toString $text) "") | quote }}
{{- end }}
{{- end }}
{{- end -}}

{{/* metadata and spec of the pods, for Deployment and DaemonSet. */}}
{{- define "sallyport.pod" -}}
metadata:
  labels:
    {{- include "sallyport.selectorLabels" . | nindent 4 }}
    {{- with .Values.commonLabels }}
    {{- toYaml . | nindent 4 }}
    {{- end }}
    {{- with .Values.controller.podLabels }}
    {{- toYaml . | nindent 4 }}
    {{- end }}
  {{- if or .Values.controller.config .Values.controller.podAnnotations }}
  annotations:
    {{- with .Values.controller.config }}
    checksum/config: {{ toYaml . | sha256sum }}
    {{- end }}
    {{- with .Values.controller.podAnnotations }}
    {{- toYaml . | nindent 4 }}
    {{- end }}
  {{- end }}
spec:
  {{- with .Values.imagePullSecrets }}
  imagePullSecrets:
    {{- toYaml . | nindent 4 }}
  {{- end }}
  serviceAccountName: {{ include "sallyport.serviceAccountName" . }}
  automountServiceAccountToken: {{ .Values.serviceAccount.automountServiceAccountToken }}
  {{- with .Values.controller }}
  enableServiceLinks: false
  {{- with .podSecurityContext }}
  securityContext:
    {{- toYaml . | nindent 4 }}
  {{- end }}
  {{- with .priorityClassName }}
  priorityClassName: {{ . }}
  {{- end }}
  {{- if .hostNetwork }}
  hostNetwork: true
  {{- end }}
  dnsPolicy: {{ default (ternary "ClusterFirstWithHostNet" "ClusterFirst" .hostNetwork) .dnsPolicy }}
  {{- with .dnsConfig }}
  dnsConfig:
    {{- toYaml . | nindent 4 }}
  {{- end }}
  terminationGracePeriodSeconds: {{ .terminationGracePeriodSeconds }}
  {{- with .extraInitContainers }}
  initContainers:
    {{- toYaml . | nindent 4 }}
  {{- end }}
  containers:
    - name: controller
      image: {{ include "sallyport.image" $ }}
      imagePullPolicy: {{ .image.pullPolicy }}
      args:
        {{- include "sallyport.args" $ | trim | nindent 8 }}
      env:
        - name: POD_NAME
          valueFrom:
            fieldRef:
              fieldPath: metadata.name
        - name: POD_NAMESPACE
          valueFrom:
            fieldRef:
              fieldPath: metadata.namespace
        {{- with .extraEnvs }}
        {{- toYaml . | nindent 8 }}
        {{- end }}
      ports:
        - name: http
          containerPort: {{ .containerPort.http }}
          protocol: TCP
          {{- if .hostPort.enabled }}
          hostPort: {{ .hostPort.ports.http }}
          {{- end }}
        - name: https
          containerPort: {{ .containerPort.https }}
          protocol: TCP
          {{- if .hostPort.enabled }}
          hostPort: {{ .hostPort.ports.https }}
          {{- end }}
        - name: metrics
          containerPort: {{ .metrics.port }}
          protocol: TCP
      {{- with .startupProbe }}
      startupProbe:
        {{- toYaml . | nindent 8 }}
      {{- end }}
      {{- with .livenessProbe }}
      livenessProbe:
        {{- toYaml . | nindent 8 }}
      {{- end }}
      {{- with .readinessProbe }}
      readinessProbe:
        {{- toYaml . | nindent 8 }}
      {{- end }}
      {{- with .lifecycle }}
      lifecycle:
        {{- toYaml . | nindent 8 }}
      {{- end }}
      {{- with .resources }}
      resources:
        {{- toYaml . | nindent 8 }}
      {{- end }}
      {{- with .containerSecurityContext }}
      securityContext:
        {{- toYaml . | nindent 8 }}
      {{- end }}
      volumeMounts:
        - name: tmp
          mountPath: /tmp
        {{- if .config }}
        - name: config
          mountPath: /etc/sallyport
          readOnly: true
        {{- end }}
        {{- with .extraVolumeMounts }}
        {{- toYaml . | nindent 8 }}
        {{- end }}
    {{- with .extraContainers }}
    {{- toYaml . | nindent 4 }}
    {{- end }}
  volumes:
    - name: tmp
      emptyDir:
        sizeLimit: {{ .tmpSizeLimit }}
    {{- if .config }}
    - name: config
      configMap:
        name: {{ include "sallyport.fullname" $ }}
    {{- end }}
    {{- with .extraVolumes }}
    {{- toYaml . | nindent 4 }}
    {{- end }}
  {{- with .nodeSelector }}
  nodeSelector:
    {{- toYaml . | nindent 4 }}
  {{- end }}
  {{- with .tolerations }}
  tolerations:
    {{- toYaml . | nindent 4 }}
  {{- end }}
  {{- with .affinity }}
  affinity:
    {{- toYaml . | nindent 4 }}
  {{- end }}
  {{- if and .topologySpreadConstraints (eq .kind "Deployment") }}
  topologySpreadConstraints:
    {{- range .topologySpreadConstraints }}
    {{- $selector := dict "matchLabels" (include "sallyport.selectorLabels" $ | fromYaml) }}
    {{- list (merge (deepCopy .) (dict "labelSelector" $selector)) | toYaml | nindent 4 }}
    {{- end }}
  {{- end }}
  {{- end }}
{{- end -}}
