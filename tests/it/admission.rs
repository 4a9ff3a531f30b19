//! Golden cases: a pod, and the pod that is admitted.
//!
//! `golden/admission/<case>/pod.yaml` with `after.yaml` or `denied.txt`, perhaps `config.yaml`,
//! `namespace.yaml` (name, labels and annotations of the pods' namespace) and `warnings.txt`. `MAYFLY_GOLDEN=write` writes what is expected from what is; read the difference.

use std::collections::BTreeMap;

use mayfly_admission::{
    config::Config,
    manifest::{ManifestError, admit},
    policy::Namespace,
};

use crate::golden::Folder;

/// What is known of a namespace.
#[derive(Default, serde::Deserialize)]
#[serde(default, deny_unknown_fields)]
struct Metadata {
    name: Option<String>,
    labels: BTreeMap<String, String>,
    annotations: BTreeMap<String, String>,
}

/// One folder of the golden cases.
struct Case {
    folder: Folder,
}

impl Case {
    fn all() -> Vec<Self> {
        Folder::all("admission").into_iter().map(|folder| Self { folder }).collect()
    }

    fn config(&self) -> Config {
        let text = self.folder.read("config.yaml").unwrap_or_default();
        let config = Config { agent_image: "mayfly-agent:1".to_owned(), ..Config::default() };
        match Config::from_yaml(&text).expect("a configuration") {
            // The version in the usual image would change every case with every release.
            read if read.agent_image == Config::default().agent_image => {
                Config { agent_image: config.agent_image, ..read }
            }
            read => read,
        }
    }

    /// The namespace of pods that name none.
    fn namespace(&self) -> Namespace {
        let text = self.folder.read("namespace.yaml").unwrap_or_default();
        let metadata: Option<Metadata> = serde_saphyr::from_str(&text).expect("metadata");
        let Metadata { name, labels, annotations } = metadata.unwrap_or_default();
        Namespace::new(name.as_deref().unwrap_or("default"), labels, annotations)
    }

    /// The differences of this case.
    fn check(&self) -> Vec<String> {
        let (pod, config) = (self.folder.read("pod.yaml").expect("a pod"), self.config());
        let namespace = self.namespace();
        let (after, denied, warnings) = match admit(&config, &namespace, &pod) {
            Ok(admitted) => {
                let again = admit(&config, &namespace, &admitted.text).expect("its own output");
                assert_eq!(again.text, admitted.text, "{}: a second time", self.folder.name());
                let warnings = admitted.warnings.iter().map(|warning| format!("{warning}\n"));
                (admitted.text, String::new(), warnings.collect())
            }
            Err(error @ ManifestError::Denied(_)) => {
                (String::new(), format!("{error}\n"), String::new())
            }
            Err(error) => (String::new(), format!("unreadable: {error}\n"), String::new()),
        };
        let files = [("after.yaml", after), ("denied.txt", denied), ("warnings.txt", warnings)];
        files.iter().filter_map(|(file, is)| self.folder.compare(file, is)).collect()
    }
}

#[test]
fn every_golden_pod_is_admitted_as_expected() {
    let cases = Case::all();
    assert!(cases.len() >= 40, "{} cases", cases.len());
    let differences: Vec<String> = cases.iter().flat_map(Case::check).collect();
    assert!(differences.is_empty(), "{}", differences.join("\n"));
}
