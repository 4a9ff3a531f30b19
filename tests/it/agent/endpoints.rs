//! Where AWS is asked for: every partition, FIPS, dual stack, and the way through a proxy.

use std::process::Stdio;

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
        (json!({"proxy": "http://user:password@proxy:3128"}), "which would lie open"),
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
