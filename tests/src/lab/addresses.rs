//! Who listens where. The bridge's own address is the host as pods see it, so the parts that pods talk to listen there,
//! and everybody uses that one address. Ports of Debian's packages that may run as services already are avoided.

use std::ops::Range;

/// The host's address on the pods' bridge.
pub const HOST: &str = "10.244.0.1";

/// The bridge's address with the length of its network.
pub const BRIDGE_ADDRESS: &str = "10.244.0.1/24";

/// The pods' network.
pub const POD_RANGE: &str = "10.244.0.0/24";

/// The range of the services' virtual addresses.
pub const SERVICE_RANGE: &str = "10.96.0.0/16";

/// The virtual address of the service `kubernetes`, the first of its range.
pub const KUBERNETES_SERVICE: &str = "10.96.0.1";

/// etcd's clients.
pub const ETCD: &str = "http://127.0.0.1:23790";

/// etcd's peers, of which there are none.
pub const ETCD_PEER: &str = "http://127.0.0.1:23800";

/// The port of the API server.
pub const API_SERVER_PORT: u16 = 6443;

/// The API server, which is also the issuer of the service accounts' tokens.
pub const API_SERVER: &str = "https://10.244.0.1:6443";

/// Vault, for pods and tests alike.
pub const VAULT: &str = "https://10.244.0.1:8200";

/// Vault's listener.
pub const VAULT_LISTENER: &str = "10.244.0.1:8200";

/// The ports of the lines to Vault that tests can cut; the operator's configuration allows these addresses.
pub const VAULT_LINE_PORTS: Range<u16> = 8210..8226;

/// PostgreSQL's port on [`HOST`], below those that the kernel gives to clients.
pub const POSTGRES_PORT: u16 = 25432;

/// Vault's name in the cluster's DNS.
pub const VAULT_NAME: &str = "vault.vault.svc";

/// Vault by its name, for pods.
pub const VAULT_BY_NAME: &str = "https://vault.vault.svc:8200";

/// The names of Vault whose addresses tests change, each with a port of its own; the operator's configuration allows them.
pub const VAULT_NAMES: [&str; 4] = [
    "https://moving.vault.svc:8231",
    "https://vanishing.vault.svc:8232",
    "https://listed.vault.svc:8200",
    "https://both.vault.svc:8200",
];

/// AWS's name in the cluster's DNS.
pub const AWS_NAME: &str = "aws.lab.svc";

/// AWS as pods see it: the STS stand-in, with moto behind it.
pub const AWS_BY_NAME: &str = "http://aws.lab.svc:4566";

/// The same from the machine itself, which does not ask the cluster's DNS.
pub const AWS: &str = "http://10.244.0.1:4566";

/// The listener of [`AWS`].
pub const AWS_LISTENER: &str = "10.244.0.1:4566";

/// Where EKS's agent listens on every node, for pods with EKS Pod Identity.
pub const POD_IDENTITY_HOST: &str = "169.254.170.23";

/// Its listener.
pub const POD_IDENTITY_LISTENER: &str = "169.254.170.23:80";

/// What EKS's webhook tells pods of it.
pub const POD_IDENTITY: &str = "http://169.254.170.23/v1/credentials";

/// Where tests tell the STS stand-in whom to trust, and ask what it saw.
pub const AWS_CONTROL: &str = "http://127.0.0.1:4567";

/// The listener of [`AWS_CONTROL`].
pub const AWS_CONTROL_LISTENER: &str = "127.0.0.1:4567";

/// moto's port, on the loopback.
pub const MOTO_PORT: u16 = 45660;

/// moto itself, for tests that feed it.
pub const MOTO: &str = "http://127.0.0.1:45660";

/// The addresses of all lines to Vault, and its names.
pub fn vault_addresses() -> impl Iterator<Item = String> {
    let lines = VAULT_LINE_PORTS.map(|port| format!("https://{HOST}:{port}"));
    lines.chain([VAULT_BY_NAME].into_iter().chain(VAULT_NAMES).map(str::to_owned))
}
