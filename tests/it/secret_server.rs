//! The stand-in for AWS and Vault keeps to the real ones' protocols, and plays every fault.

mod aws;
mod faults;
mod vault;

use mayfly_tests::secret_server::SecretServer;
use reqwest::{Client, RequestBuilder, Response};
use serde_json::Value;

const ROLE: &str = "arn:aws:iam::123456789012:role/web";

struct Caller {
    server: SecretServer,
    client: Client,
}

impl Caller {
    async fn start() -> Self {
        let server = SecretServer::start().await.expect("a server");
        let client = server.authority().expect("TLS").client().expect("a client");
        Self { server, client }
    }

    async fn secrets_manager(&self, key: &str, operation: &str, input: Value) -> (u16, Value) {
        let sent = self.signed(key, operation, &input).send().await;
        answer(sent.expect("an answer")).await
    }

    fn signed(&self, key: &str, operation: &str, input: &Value) -> RequestBuilder {
        let scope = "20260101/eu-central-1/secretsmanager/aws4_request";
        let signature = format!("AWS4-HMAC-SHA256 Credential={key}/{scope}, Signature=0");
        self.client
            .post(self.server.url())
            .header("x-amz-target", format!("secretsmanager.{operation}"))
            .header("authorization", signature)
            .body(input.to_string())
    }

    async fn sts(&self, role: &str, session: &str, token: &str) -> (u16, String) {
        let form = [
            ("Action", "AssumeRoleWithWebIdentity"),
            ("Version", "2011-06-15"),
            ("RoleArn", role),
            ("RoleSessionName", session),
            ("WebIdentityToken", token),
        ];
        let form = url::form_urlencoded::Serializer::new(String::new()).extend_pairs(form).finish();
        let response = self.client.post(self.server.url()).body(form).send().await;
        let response = response.expect("an answer");
        (response.status().as_u16(), response.text().await.expect("text"))
    }

    async fn read(&self, token: &str, path: &str) -> (u16, Value) {
        answer(self.get(token, path).await.expect("an answer")).await
    }

    async fn get(&self, token: &str, path: &str) -> reqwest::Result<Response> {
        let url = format!("{}/v1/{path}", self.server.url());
        self.client.get(url).header("x-vault-token", token).send().await
    }

    async fn login(&self, mount: &str, body: Value) -> (u16, Value) {
        let url = format!("{}/v1/auth/{mount}/login", self.server.url());
        let response = self.client.post(url).json(&body).send().await;
        answer(response.expect("an answer")).await
    }
}

async fn answer(response: Response) -> (u16, Value) {
    let status = response.status().as_u16();
    let body = response.bytes().await.expect("a body");
    (status, serde_json::from_slice(&body).unwrap_or_default())
}
