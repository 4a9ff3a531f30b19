{{/* Names, labels and what follows from more than one value. */}}

{{- define "mayfly.serviceAccount" -}}
{{ .Values.serviceAccount.name | default .Values.name }}
{{- end }}

{{/* An object's metadata, for `.` or for a dict with `root` and, if they differ, `name`, `labels` and `annotations`. */}}
{{- define "mayfly.metadata" -}}
{{- $root := .root | default . -}}
name: {{ .name | default $root.Values.name }}
namespace: {{ $root.Release.Namespace }}
{{ include "mayfly.marks" . }}
{{- end }}

{{/* The same for an object that belongs to no namespace. */}}
{{- define "mayfly.clusterMetadata" -}}
{{- $root := .root | default . -}}
name: {{ .name | default $root.Values.name }}
{{ include "mayfly.marks" . }}
{{- end }}

{{- define "mayfly.marks" -}}
{{- $root := .root | default . -}}
labels: {app.kubernetes.io/name: {{ $root.Values.name }}
  {{- range $key, $value := merge dict (.labels | default dict) $root.Values.labels }}, {{ $key }}: {{ $value | quote }}{{ end }}}
{{- with merge dict (.annotations | default dict) $root.Values.annotations }}
annotations:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- end }}

{{/* The registration for workloads; the one for pods has the name of everything else. */}}
{{- define "mayfly.warnings" -}}
{{ .Values.name }}-warnings
{{- end }}

{{/* Of a registration: cert-manager fills in the caBundle of this Certificate. */}}
{{- define "mayfly.bundleAnnotations" -}}
{{- if eq .Values.tls.mode "cert-manager" -}}
cert-manager.io/inject-ca-from: {{ .Release.Namespace }}/{{ .Values.name }}
{{- end -}}
{{- end }}

{{- define "mayfly.selector" -}}
app.kubernetes.io/name: {{ .Values.name }}
{{- end }}

{{/* repository@digest, or repository:tag. */}}
{{- define "mayfly.image" -}}
{{- if .image.digest -}}
{{ .image.repository }}@{{ .image.digest }}
{{- else -}}
{{ .image.repository }}:{{ .image.tag | default .root.Chart.AppVersion }}
{{- end -}}
{{- end }}

{{/* The operator's configuration with what has values of its own: the agent's image, and its user on OpenShift. */}}
{{- define "mayfly.config" -}}
{{- $image := include "mayfly.image" (dict "root" . "image" .Values.agent.image) -}}
{{- $agent := dict "image" $image -}}
{{- if .Values.openshift.enabled -}}
{{- $_ := set $agent "user" "assigned" -}}
{{- end -}}
{{- toYaml (mergeOverwrite (dict "agent" $agent) (deepCopy .Values.config)) -}}
{{- end }}

{{/* Whether the configuration asks for namespaces' labels or annotations: then the webhook has to watch them. */}}
{{- define "mayfly.readsNamespaces" -}}
{{- $policy := .Values.config.policy | default dict -}}
{{- $selecting := concat (.Values.config.overrides | default list) ($policy.rules | default list) -}}
{{- $reads := dict "namespaces" (index .Values.config "namespace-annotations" | default false) -}}
{{- range $selecting -}}
  {{- $selector := index . "namespace-selector" | default dict -}}
  {{- if or $selector.matchLabels $selector.matchExpressions -}}{{- $_ := set $reads "namespaces" true -}}{{- end -}}
{{- end -}}
{{- if $reads.namespaces -}}true{{- end -}}
{{- end }}

{{/* Whether the webhook talks to the API server at all. */}}
{{- define "mayfly.talksToApiServer" -}}
{{- if or (eq .Values.tls.mode "self-issued") (include "mayfly.readsNamespaces" .) -}}true{{- end -}}
{{- end }}

{{/* The volume's source with the authorities of those who may ask, if not everybody may. */}}
{{- define "mayfly.clientCA" -}}
{{- $items := printf "[{key: %s, path: ca.crt}]" (.Values.clientCA.key | quote) -}}
{{- if .Values.clientCA.configMap -}}
configMap: {name: {{ .Values.clientCA.configMap }}, items: {{ $items }}}
{{- else if .Values.clientCA.secret -}}
secret: {secretName: {{ .Values.clientCA.secret }}, defaultMode: 288, items: {{ $items }}}
{{- end -}}
{{- end }}

{{/* Whether anything but the registration is installed. */}}
{{- define "mayfly.runsHere" -}}
{{- if not .Values.url -}}true{{- end -}}
{{- end }}

{{- define "mayfly.namespaceSelector" -}}
{{- with .Values.webhook.namespaceSelector.matchLabels -}}
matchLabels:
  {{- toYaml . | nindent 2 }}
{{ end -}}
matchExpressions:
  # Nothing that the cluster needs to come up may wait for us, nor may we wait for ourselves.
  - key: kubernetes.io/metadata.name
    operator: NotIn
    values: [{{ concat (list "kube-system" "kube-node-lease" .Release.Namespace) .Values.webhook.excludedNamespaces | uniq | join ", " }}]
  {{- with .Values.webhook.namespaceSelector.matchExpressions }}
  {{- toYaml . | nindent 2 }}
  {{- end }}
{{- end }}

{{- define "mayfly.clientConfig" -}}
{{- $values := .root.Values -}}
{{- if $values.url -}}
url: {{ printf "%s%s" (trimSuffix "/" $values.url) .path | quote }}
{{- else -}}
service: {name: {{ $values.name }}, namespace: {{ .root.Release.Namespace }}, path: {{ .path }}, port: {{ $values.service.port }}}
{{- end }}
{{- if and (eq $values.tls.mode "secret") $values.tls.secret.caBundle }}
caBundle: {{ $values.tls.secret.caBundle | b64enc }}
{{- end }}
{{- end }}
