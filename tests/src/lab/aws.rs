//! AWS as the lab plays it. Pods talk to the [`front`]: it answers STS itself, as strictly as AWS does, lets nobody else
//! in without credentials from there, and hands the rest on to moto. Tests feed moto directly.

pub mod front;
pub mod sts;
pub mod web_identity;

use std::env;

use anyhow::{Context, Result, bail, ensure};
use reqwest::Client;
use serde_json::{Value, json};

use self::front::{Call, Guest, Outage, Trust};
use super::{
    addresses::{AWS, AWS_CONTROL, MOTO, MOTO_PORT},
    condition::{PATIENCE, eventually},
    control_plane::flag,
    launch::Lab,
    program::Program,
};

/// The region of everything.
pub const REGION: &str = "us-east-1";

/// The account of everything, which is moto's own.
pub const ACCOUNT: &str = "123456789012";

/// AWS, as its administrator sees it.
#[derive(Debug, Clone)]
pub struct Aws {
    http: Client,
    boto: Program,
}

impl Aws {
    /// The running AWS of a lab.
    pub fn of(lab: &Lab) -> Result<Self> {
        Ok(Self { http: lab.http()?, boto: lab.tools.boto() })
    }

    /// The endpoint for pods, of every service.
    pub fn endpoint(&self) -> &'static str {
        AWS
    }

    /// Makes a role that a service account may assume, and hands out its ARN.
    pub async fn role(&self, name: &str, namespace: &str, service_account: &str) -> Result<String> {
        let role = format!("arn:aws:iam::{ACCOUNT}:role/{name}");
        let subject = format!("system:serviceaccount:{namespace}:{service_account}");
        let trust = Trust { role: role.clone(), subject };
        let answer = self.http.put(format!("{AWS_CONTROL}/trust")).json(&trust).send().await?;
        answer.error_for_status().context("make a role")?;
        Ok(role)
    }

    /// Makes a role of another account that sessions of `over` may assume, and hands out its ARN.
    pub async fn role_over(
        &self,
        name: &str,
        over: &str,
        external_id: Option<&str>,
    ) -> Result<String> {
        let role = format!("arn:aws:iam::210987654321:role/{name}");
        let external_id = external_id.map(Into::into);
        let guest = Guest { role: role.clone(), over: over.to_owned(), external_id };
        let answer = self.http.put(format!("{AWS_CONTROL}/guests")).json(&guest).send().await?;
        answer.error_for_status().context("make a role over another")?;
        Ok(role)
    }

    /// Associates a service account with a role, as EKS Pod Identity has it.
    pub async fn associate(
        &self,
        role: &str,
        namespace: &str,
        service_account: &str,
    ) -> Result<()> {
        let subject = format!("system:serviceaccount:{namespace}:{service_account}");
        let trust = Trust { role: role.to_owned(), subject };
        let answer =
            self.http.put(format!("{AWS_CONTROL}/associations")).json(&trust).send().await?;
        answer.error_for_status().map(drop).context("associate a service account")
    }

    /// Takes AWS down for whoever has a role or asks for it, and for nobody else.
    pub async fn take_down(&self, role: &str) -> Result<()> {
        self.outage(Outage { role: role.to_owned(), down: true }).await
    }

    /// Brings AWS back after [`Self::take_down`].
    pub async fn bring_back(&self, role: &str) -> Result<()> {
        self.outage(Outage { role: role.to_owned(), down: false }).await
    }

    /// What came in under a role, the oldest first; the role's ARN selects.
    pub async fn calls(&self, role: &str) -> Result<Vec<Call>> {
        let answer =
            self.http.get(format!("{AWS_CONTROL}/calls")).send().await?.error_for_status()?;
        let calls: Vec<Call> = answer.json().await.context("read the recorded calls")?;
        Ok(calls.into_iter().filter(|call| call.role.as_deref() == Some(role)).collect())
    }

    async fn outage(&self, outage: Outage) -> Result<()> {
        let answer = self.http.put(format!("{AWS_CONTROL}/outage")).json(&outage).send().await?;
        answer.error_for_status().map(drop).context("change the outage")
    }

    /// Makes a secret in Secrets Manager, and hands out its ARN.
    pub async fn create_secret(&self, name: &str, value: &str) -> Result<String> {
        let body =
            json!({ "Name": name, "SecretString": value, "ClientRequestToken": request_token() });
        let made = self.call("secretsmanager", "secretsmanager.CreateSecret", body).await?;
        made["ARN"].as_str().map(Into::into).context("a secret has an ARN")
    }

    /// Gives a secret a new version.
    pub async fn put_secret(&self, name: &str, value: &str) -> Result<()> {
        let body = json!({ "SecretId": name, "SecretString": value, "ClientRequestToken": request_token() });
        self.call("secretsmanager", "secretsmanager.PutSecretValue", body).await.map(drop)
    }

    /// Removes a secret, without the days of grace.
    pub async fn delete_secret(&self, name: &str) -> Result<()> {
        let body = json!({ "SecretId": name, "ForceDeleteWithoutRecovery": true });
        self.call("secretsmanager", "secretsmanager.DeleteSecret", body).await.map(drop)
    }

    /// Puts an encrypted parameter into the Parameter Store, new or again.
    pub async fn put_parameter(&self, name: &str, value: &str) -> Result<()> {
        let body =
            json!({ "Name": name, "Value": value, "Type": "SecureString", "Overwrite": true });
        self.call("ssm", "AmazonSSM.PutParameter", body).await.map(drop)
    }

    /// Calls any operation of a service that speaks JSON, as administrator.
    pub async fn call(&self, service: &str, target: &str, body: Value) -> Result<Value> {
        let request = self.http.post(MOTO).header("Content-Type", "application/x-amz-json-1.1");
        let request =
            request.header("X-Amz-Target", target).header("Authorization", administrator(service));
        let answer = request
            .body(body.to_string())
            .send()
            .await
            .with_context(|| format!("ask moto for {target}"))?;
        let (status, text) = (answer.status(), answer.text().await?);
        if !status.is_success() {
            bail!("moto answers {status} for {target}: {text}");
        }
        serde_json::from_str(&text).with_context(|| format!("read moto's answer for {target}"))
    }
}

impl Aws {
    /// Calls any operation of any service, as administrator, with what AWS's own client takes for
    /// it: `logs`, `put_metric_filter`.
    pub async fn call_as_described(
        &self,
        service: &str,
        operation: &str,
        input: &Value,
    ) -> Result<Value> {
        let boto = self.boto.clone().args([MOTO, service, operation]).input(input.to_string());
        let text = boto.text().await.with_context(|| format!("ask moto to {operation}"))?;
        serde_json::from_str(&text).with_context(|| format!("read moto's answer for {operation}"))
    }
}

/// Starts moto and the front before it.
pub async fn start(lab: &Lab) -> Result<()> {
    let moto =
        lab.tools.moto().args(["--host", "127.0.0.1", "--port"]).args([MOTO_PORT.to_string()]);
    lab.daemons.start("moto", &moto.env("AWS_DEFAULT_REGION", REGION))?;
    let this = env::current_exe().context("find this program, which is also the front's")?;
    let front = Program::new(this).args([front::COMMAND]);
    lab.daemons
        .start("aws-front", &front.args([flag("authority", &lab.pki().authority_certificate())]))?;
    let http = lab.http()?;
    eventually("moto", PATIENCE, || answers(&http, format!("{MOTO}/moto-api/"))).await?;
    eventually("the front of AWS", PATIENCE, || answers(&http, format!("{AWS_CONTROL}/calls")))
        .await
}

async fn answers(http: &Client, address: String) -> Result<()> {
    let status = http.get(address).send().await?.status();
    ensure!(!status.is_server_error(), "it answers {status}");
    Ok(())
}

/// A signature that nobody checks; moto wants to know the service from it.
fn administrator(service: &str) -> String {
    let scope = format!("lab/20260101/{REGION}/{service}/aws4_request");
    format!("AWS4-HMAC-SHA256 Credential={scope}, SignedHeaders=host, Signature=lab")
}

/// What the SDKs send along, so that a repeated call makes one version; here every call is meant.
fn request_token() -> String {
    format!("{:032x}", fastrand::u128(..))
}
