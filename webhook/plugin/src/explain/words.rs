//! The explanation for people, with policies and commands to be copied.

use std::fmt;

use mayfly_spec::spec::{Identity, Mode};
use serde_json::Value;

use super::{
    AssumedRole, AwsAccess, AwsRole, Explanation, File, Subject, VaultAccess, VaultRole, Workload,
    subject,
};
use mayfly_admission::settings::VaultMethod;

impl fmt::Display for Explanation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.workloads.is_empty() {
            return writeln!(f, "nothing here asks for secrets");
        }
        let workloads = self.workloads.iter().map(Workload::to_string);
        let aws = self.aws.iter().map(AwsRole::to_string);
        let vault = self.vault.iter().map(VaultRole::to_string);
        f.write_str(&workloads.chain(aws).chain(vault).collect::<Vec<_>>().join("\n"))
    }
}

impl fmt::Display for Workload {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { kind, name, subject, mode, .. } = self;
        writeln!(f, "{kind} {name}, as {subject}")?;
        writeln!(f, "  mode        {}: {}", mode.name(), placement(*mode))?;
        writeln!(
            f,
            "  seen by     {}: read-only at {}",
            self.containers.join(", "),
            self.directory
        )?;
        writeln!(f, "  owner       {}", self.owner())?;
        match &self.refresh {
            Some(interval) => writeln!(f, "  refresh     every {interval}, with jitter")?,
            None => writeln!(f, "  refresh     never")?,
        }
        self.aws.iter().try_for_each(|aws| writeln!(f, "  AWS         {aws}"))?;
        self.vault.iter().try_for_each(|vault| writeln!(f, "  Vault       {vault}"))?;
        self.write_files(f)
    }
}

fn placement(mode: Mode) -> &'static str {
    match mode {
        Mode::Sidecar => "no other container starts without the files, which are kept fresh",
        Mode::Init => "the containers do not start without the files, which stay as they are",
        Mode::Parallel => {
            "the containers wait for the files until the start deadline, then start without them"
        }
    }
}

impl Workload {
    fn owner(&self) -> String {
        let user = self.user.map_or_else(|| "the agent's".to_owned(), |user| user.to_string());
        let group = self.group.map(|group| format!(", group {group}")).unwrap_or_default();
        format!("user {user}{group}")
    }

    fn write_files(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let width =
            self.files.iter().map(|file| file.path.chars().count()).max().unwrap_or_default();
        writeln!(f, "  files")?;
        for file in &self.files {
            let optional = if file.optional { " (may be missing)" } else { "" };
            let template = if file.template { " (in a template)" } else { "" };
            let File { path, mode, from, .. } = file;
            writeln!(f, "    {path:width$}  {mode}  {from}{template}{optional}")?;
        }
        Ok(())
    }
}

impl fmt::Display for AwsAccess {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (own, stand_ins) =
            self.regions.split_first().map_or(("", &[][..]), |(own, others)| (own, others));
        let role = match (self.identity, &self.role) {
            (Identity::PodIdentity, _) => {
                "EKS Pod Identity, the role of the service account's association".to_owned()
            }
            (_, Some(role)) => format!("IRSA, role {role}"),
            (_, None) => {
                "IRSA, the role of the service account's annotation eks.amazonaws.com/role-arn"
                    .to_owned()
            }
        };
        write!(f, "{role}; region {own}")?;
        if stand_ins.is_empty() { Ok(()) } else { write!(f, ", then {}", stand_ins.join(", ")) }
    }
}

impl fmt::Display for VaultAccess {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { address, namespace, mount, role, audience, method, .. } = self;
        write!(f, "{address}, role {role} of auth/{mount}")?;
        namespace.iter().try_for_each(|namespace| write!(f, ", namespace {namespace}"))?;
        match audience {
            _ if *method == VaultMethod::Aws => write!(f, ", as the AWS role"),
            Some(audience) => write!(f, ", audience {audience}"),
            None => write!(f, ", audience of the API server"),
        }
    }
}

impl fmt::Display for AwsRole {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let name = self.arn.as_ref().map(|arn| format!(" {arn}")).unwrap_or_default();
        writeln!(f, "AWS role{name} for {}", subject::list(&self.subjects))?;
        if self.needs_nothing() {
            writeln!(f, "\nIt has to be allowed nothing: who it is, STS tells everybody.")?;
        } else {
            writeln!(f, "\nIt has to be allowed:\n{}", pretty(&self.policy))?;
        }
        if self.batches {
            writeln!(
                f,
                "\nSaveCalls may be left out: the agent then asks for secrets one by one."
            )?;
        }
        self.write_key(f)?;
        writeln!(f, "\nIt has to trust:\n{}", pretty(&self.trust))?;
        for command in self.associations() {
            writeln!(f, "\n{command}")?;
        }
        self.assumed.iter().try_for_each(|assumed| write!(f, "\n{assumed}"))
    }
}

impl AwsRole {
    fn write_key(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.services.is_empty() {
            return Ok(());
        }
        writeln!(
            f,
            "\nWhat is sealed with a KMS key of your own also needs kms:Decrypt on that key,"
        )?;
        writeln!(f, "at best only with the condition that kms:ViaService is one of these:")?;
        self.services.iter().try_for_each(|service| writeln!(f, "  {service}"))
    }

    /// The commands that give service accounts the role.
    fn associations(&self) -> Vec<String> {
        let command = |Subject { namespace, service_account }: &Subject| {
            format!(
                "aws eks create-pod-identity-association --cluster-name '<CLUSTER>' --role-arn '<ROLE_ARN>' \\\n  --namespace {} --service-account {}",
                shell(namespace),
                shell(service_account)
            )
        };
        let subjects = self.subjects.iter().filter(|_| self.identity == Identity::PodIdentity);
        subjects.map(command).collect()
    }
}

impl fmt::Display for AssumedRole {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "AWS role {}, assumed over the pod's own", self.arn)?;
        writeln!(f, "\nIt has to be allowed:\n{}", pretty(&self.policy))?;
        writeln!(f, "\nIt has to trust:\n{}", pretty(&self.trust))
    }
}

impl fmt::Display for VaultRole {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let VaultAccess { address, role, namespace, .. } = &self.access;
        writeln!(f, "Vault role {role} at {address} for {}\n", subject::list(&self.subjects))?;
        let namespace = namespace.iter().map(|name| shell(&format!("-namespace={name}")) + " ");
        let namespace: String = namespace.collect();
        writeln!(
            f,
            "vault policy write {namespace}{} - <<'EOF'\n{}EOF\n{}",
            shell(role),
            self.policy,
            self.command
        )
    }
}

/// As people write policies.
pub(super) fn pretty(json: &Value) -> String {
    format!("{json:#}")
}

/// One word of a shell's command line.
pub(super) fn shell(word: &str) -> String {
    let plain =
        |character: char| character.is_ascii_alphanumeric() || "_-./:=,@+%".contains(character);
    if !word.is_empty() && word.chars().all(plain) {
        return word.to_owned();
    }
    format!("'{}'", word.replace('\'', r"'\''"))
}

#[cfg(test)]
mod tests {
    use super::shell;

    #[test]
    fn what_is_copied_into_a_shell_stays_one_word() {
        assert_eq!(shell("auth/kubernetes/role/web"), "auth/kubernetes/role/web");
        assert_eq!(shell("a; rm -rf ~"), "'a; rm -rf ~'");
        assert_eq!(shell("a'b$(c)"), r"'a'\''b$(c)'");
    }
}
