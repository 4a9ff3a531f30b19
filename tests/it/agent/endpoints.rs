//! Where AWS is asked for: every partition, FIPS, dual stack, and the way through a proxy.

use std::process::Stdio;

use futures_util::FutureExt;
use serde_json::{Value, json};
use tokio::{
    io::{AsyncBufReadExt, BufReader},
    net::TcpListener,
};

use super::pod::{Pod, ROLE};

/// The first host that an agent asks a proxy for, with these settings.
async fn asked_for(settings: Value) -> String {
    let proxy = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let mut pod = Pod::new(json!([{"path": "file", "from": "aws-sm:prod/db"}])).await.hasty();
    let mut aws = json!({"identity": "irsa", "role-arn": ROLE, "token-file": "/token", "ca": {"pem": pod.server.ca_pem()}});
    let url = format!("http://{}", proxy.local_addr().expect("an address"));
    aws["proxy"] = json!(url);
    aws.as_object_mut()
        .expect("an object")
        .extend(settings.as_object().expect("an object").clone());
    pod.spec["aws"] = aws;
    let mut agent = pod.agent("once");
    let agent = agent.stdout(Stdio::null()).stderr(Stdio::null()).spawn().expect("an agent");
    let (stream, _) = proxy.accept().await.expect("a connection");
    let mut line = String::new();
    BufReader::new(stream).read_line(&mut line).await.expect("a line");
    drop(agent);
    line.split(' ').nth(1).unwrap_or_default().to_owned()
}

#[tokio::test]
async fn every_partition_has_its_own_names() {
    for (settings, host) in [
        (json!({"region": "eu-central-1"}), "sts.eu-central-1.amazonaws.com:443"),
        (json!({"region": "cn-north-1"}), "sts.cn-north-1.amazonaws.com.cn:443"),
        (json!({"region": "us-gov-west-1", "fips": true}), "sts.us-gov-west-1.amazonaws.com:443"),
        (json!({"region": "us-east-1", "fips": true}), "sts-fips.us-east-1.amazonaws.com:443"),
        (json!({"region": "eu-west-1", "dual-stack": true}), "sts.eu-west-1.api.aws:443"),
        (json!({"region": "zz-new-9"}), "sts.zz-new-9.amazonaws.com:443"),
    ] {
        assert_eq!(asked_for(settings.clone()).await, host, "{settings}");
    }
}

#[tokio::test]
async fn what_contradicts_itself_is_refused() {
    for (settings, words) in [
        (json!({"fips": true}), "`fips` and `dual-stack` choose among AWS's own endpoints"),
        (json!({"dual-stack": true}), "leave `endpoint` and `sts-endpoint` out"),
        (json!({"proxy": "https://user:password@proxy:3128"}), "which would lie open"),
        (json!({"proxy": "proxy:3128"}), "`proxy` is no URL"),
    ] {
        let mut pod = Pod::new(json!([{"path": "file", "from": "aws-sm:prod/db"}])).await;
        let aws = pod.spec["aws"].as_object_mut().expect("an object");
        aws.extend(settings.as_object().expect("an object").clone());
        let (code, said) = pod.told("check").await;
        assert_eq!(code, 2, "{said}");
        assert!(said.contains(words), "`{said}` lacks `{words}`");
    }
}

/// The pod's author can write that variable; what the webhook wrote decides.
#[tokio::test]
async fn a_pod_without_a_service_host_is_still_one() {
    let mut pod = Pod::new(json!([{"path": "file", "from": "aws-sm:prod/db"}])).await.hasty();
    pod.spec["aws"]["endpoint"] = json!("http://192.0.2.1");
    let mut agent = pod.agent("once");
    let output = agent.env("KUBERNETES_SERVICE_HOST", "").output().await.expect("an agent");
    assert_eq!(output.status.code(), Some(2));
    let reason = pod.read("termination");
    assert!(reason.contains("`aws.endpoint` is plain HTTP"), "{reason}");
}

#[tokio::test]
async fn a_pod_sends_nothing_over_plain_http() {
    // What listens everywhere would hear it at this machine's own name too.
    let everywhere = TcpListener::bind("0.0.0.0:0").await.expect("a port");
    let port = everywhere.local_addr().expect("an address").port();
    let url = json!(format!("http://0.0.0.0:{port}"));
    for (pointer, from) in [
        ("/aws/endpoint", "aws-sm:prod/db"),
        ("/aws/sts-endpoint", "aws-sm:prod/db"),
        ("/aws/proxy", "aws-sm:prod/db"),
        ("/vault/address", "vault:secret/app"),
    ] {
        let mut pod = Pod::new(json!([{"path": "file", "from": from}])).await.hasty();
        let (section, field) = pointer.rsplit_once('/').expect("a pointer");
        let section = pod.spec.pointer_mut(section).and_then(Value::as_object_mut);
        section.expect("a section").insert(field.to_owned(), url.clone());
        let (code, said) = pod.told("once").await;
        assert_eq!(code, 2, "{said}");
        let name = pointer.trim_start_matches('/').replace('/', ".");
        assert!(pod.read("termination").contains(&format!("`{name}` is plain HTTP")), "{said}");
        assert!(everywhere.accept().now_or_never().is_none(), "nobody knocks");
        // The same, with leave: now it is heard.
        pod.spec["plain-http"] = json!([url]);
        let agent = pod.agent("once").stdout(Stdio::null()).stderr(Stdio::null()).spawn();
        everywhere.accept().await.expect("a connection");
        drop(agent);
    }
}
