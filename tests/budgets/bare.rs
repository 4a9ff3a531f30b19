//! What there is to compare with: an axum handler behind rustls that parses the review and answers
//! with a patch of ten operations, and nothing else. No limits, no log, no metrics, no decision.

use std::{net::SocketAddr, path::Path, sync::Arc};

use anyhow::{Context, Result};
use axum::{Json, Router, extract::DefaultBodyLimit, routing::post};
use base64::{Engine, prelude::BASE64_STANDARD};
use hyper_util::{rt::TokioIo, service::TowerToHyperService};
use rustls::{
    ServerConfig,
    crypto::aws_lc_rs,
    pki_types::{CertificateDer, PrivateKeyDer, pem::PemObject},
};
use serde_json::{Value, json};
use tokio::net::TcpListener;
use tokio_rustls::TlsAcceptor;

/// Serves until it is killed.
pub(crate) async fn serve(listen: SocketAddr, tls: &Path) -> Result<()> {
    let acceptor = TlsAcceptor::from(Arc::new(config(tls)?));
    let router = Router::new().route("/mutate", post(mutate)).layer(DefaultBodyLimit::disable());
    let listener = TcpListener::bind(listen).await?;
    loop {
        let (stream, _) = listener.accept().await?;
        let (acceptor, service) = (acceptor.clone(), TowerToHyperService::new(router.clone()));
        tokio::spawn(async move {
            let Ok(stream) = acceptor.accept(stream).await else { return };
            let http = hyper::server::conn::http1::Builder::new();
            // A client that goes away in the middle is the end of its connection, not of the server.
            let _ = http.serve_connection(TokioIo::new(stream), service).await;
        });
    }
}

async fn mutate(Json(review): Json<Value>) -> Json<Value> {
    let operation = |at| json!({"op": "add", "path": format!("/metadata/labels/l{at}"), "value": "x".repeat(100)});
    let patch: Vec<Value> = (0..10).map(operation).collect();
    let patch = BASE64_STANDARD.encode(serde_json::to_vec(&patch).unwrap_or_default());
    Json(json!({
        "apiVersion": review["apiVersion"], "kind": review["kind"],
        "response": {"uid": review["request"]["uid"], "allowed": true, "patchType": "JSONPatch", "patch": patch},
    }))
}

fn config(tls: &Path) -> Result<ServerConfig> {
    let certificate = CertificateDer::from_pem_file(tls.join("tls.crt")).context("tls.crt")?;
    let key = PrivateKeyDer::from_pem_file(tls.join("tls.key")).context("tls.key")?;
    let builder = ServerConfig::builder_with_provider(Arc::new(aws_lc_rs::default_provider()));
    let builder = builder.with_safe_default_protocol_versions()?.with_no_client_auth();
    Ok(builder.with_single_cert(vec![certificate], key)?)
}
