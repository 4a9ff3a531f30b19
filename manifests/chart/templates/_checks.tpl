{{/* What a schema cannot say, or not in words that help. */}}

{{- define "mayfly.checks" -}}
{{- range $name, $image := dict "image" .Values.image "agent.image" .Values.agent.image -}}
  {{- if and $image.digest (not (regexMatch "^sha256:[0-9a-f]{64}$" $image.digest)) -}}
    {{- fail (printf "%s.digest: %q is no digest; write sha256: and 64 hexadecimal digits" $name $image.digest) -}}
  {{- end -}}
  {{- if regexMatch "@|:[^/]*$" $image.repository -}}
    {{- fail (printf "%s.repository: %q has a tag or a digest; these have values of their own, %s.tag and %s.digest" $name $image.repository $name $name) -}}
  {{- end -}}
{{- end -}}
{{- range $name, $time := dict "tls.selfIssued.lifetime" .Values.tls.selfIssued.lifetime "drainDelay" .Values.drainDelay -}}
  {{- if and $time (not (regexMatch "^([0-9]+(ms|s|m|h|d))+$" $time)) -}}
    {{- fail (printf "%s: %q is no time; write a number and a unit, as in 90s, 15m, 12h or 7d" $name $time) -}}
  {{- end -}}
{{- end -}}
{{- if and .Values.url (not (regexMatch "^https://[^/?#@[:space:]]+/?$" .Values.url)) -}}
  {{- fail (printf "url: %q is not what the API server takes; write https://host:port, without a path, a query or a user" .Values.url) -}}
{{- end -}}
{{- with .Values.tls.secret.caBundle -}}
  {{- if not (contains "-----BEGIN CERTIFICATE-----" .) -}}
    {{- fail "tls.secret.caBundle: this is no PEM certificate; give the file as it is, not in base64: --set-file tls.secret.caBundle=ca.crt" -}}
  {{- end -}}
  {{- if ne $.Values.tls.mode "secret" -}}
    {{- fail (printf "tls.secret.caBundle: with tls.mode %q the bundle is not the chart's to write; set tls.mode to \"secret\"" $.Values.tls.mode) -}}
  {{- end -}}
{{- end -}}
{{- if and .Values.url (eq .Values.tls.mode "cert-manager") -}}
  {{- fail "url: with tls.mode \"cert-manager\" there is no Certificate here whose authority could be taken; use \"secret\" with tls.secret.caBundle, or \"self-issued\"" -}}
{{- end -}}
{{- if and .Values.clientCA.configMap .Values.clientCA.secret -}}
  {{- fail "clientCA: the authorities are in one place; give clientCA.configMap or clientCA.secret, not both" -}}
{{- end -}}
{{- range .Values.imagePullSecrets -}}
  {{- if not .name -}}{{- fail "imagePullSecrets: each is an object with a name: [{name: registry}]" -}}{{- end -}}
{{- end -}}
{{- end }}
