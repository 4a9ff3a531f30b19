use super::*;

fn refusal(text: &str) -> String {
    Config::from_yaml(text).expect_err(text).to_string()
}

#[test]
fn an_empty_file_is_the_usual_configuration() {
    for text in ["", "# nothing\n", "{}"] {
        assert_eq!(Config::from_yaml(text).expect(text), Config::default());
    }
}

#[test]
fn everything_can_be_said() {
    let config = Config::from_yaml(
        "agent: {image: 'example/agent:1', pull-policy: Always}\n\
         defaults: {vault-address: 'https://vault:8200/', cpu-request: 10m, refresh: 1m}\n\
         vault: {addresses: ['http://dev:8200'], ca: {pem: '-----BEGIN CERTIFICATE-----'}}\n\
         aws: {endpoint: 'http://127.0.0.1:5000', sts-endpoint: 'http://127.0.0.1:5001'}\n\
         refresh-floor: 30s\nmesh-sidecars: [our-proxy]\n",
    )
    .expect("a configuration");
    assert_eq!(config.pull_policy, PullPolicy::Always);
    assert_eq!(config.allowed_addresses(), "http://dev:8200, https://vault:8200");
    assert!(config.is_mesh_sidecar("our-proxy") && config.is_mesh_sidecar("istio-proxy"));
    assert_eq!(config.aws.sts_endpoint.as_deref(), Some("http://127.0.0.1:5001"));
}

#[test]
fn each_fault_is_named() {
    for (text, reason) in [
        ("agnet: {}", "agnet"),
        ("agent: {image: ''}", "`agent.image` may not be empty"),
        ("agent: {pull-policy: Sometimes}", "Sometimes"),
        (
            "defaults: {inject: 'true'}",
            "`defaults.inject` is no annotation that can have a default",
        ),
        ("defaults: {vault-rol: x}", "did you mean `vault-role`?"),
        ("defaults: {mode: once}", "`defaults.mode`: `once` is not allowed"),
        ("defaults: {refresh: 1s}", "shorter than `refresh-floor`"),
        ("vault: {addresses: ['vault:8200']}", "`vault.addresses`: `vault:8200` is no address"),
        ("vault: {ca: {pem: text}}", "`vault.ca.pem` has no `-----BEGIN"),
        ("vault: {ca: {file: /x}}", "file"),
        ("aws: {endpoint: 'ftp://x'}", "`aws.endpoint`"),
        ("aws: {proxy: 'http://user:password@proxy'}", "`aws.proxy`"),
        ("- a", "expected"),
    ] {
        let refusal = refusal(text);
        assert!(refusal.contains(reason), "{text}: `{refusal}` lacks `{reason}`");
    }
}
