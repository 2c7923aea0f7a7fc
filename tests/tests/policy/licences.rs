//! Every crate of the resolved graph has a licence that `deny.toml` allows and comes from the public registry.

use crate::{assert_none, graph, root, spdx};

#[derive(serde::Deserialize)]
struct Deny {
    licenses: Licences,
}

#[derive(serde::Deserialize)]
struct Licences {
    allow: Vec<String>,
    #[serde(default)]
    exceptions: Vec<Exception>,
}

#[derive(serde::Deserialize)]
struct Exception {
    #[serde(rename = "crate")]
    name: String,
    allow: Vec<String>,
}

#[test]
fn every_licence_is_allowed() {
    let text = std::fs::read_to_string(root().join("deny.toml")).expect("deny.toml");
    let deny: Deny = toml::from_str(&text).expect("deny.toml parses");
    let offenders: Vec<String> = graph::metadata()
        .packages
        .iter()
        // What the generator writes is this repository's own, and private.
        .filter(|package| !graph::is_inside(package, "clients"))
        .filter_map(|package| {
            let excepted = deny
                .licenses
                .exceptions
                .iter()
                .find(|e| e.name == package.name.as_str());
            let allowed = |licence: &str| {
                deny.licenses.allow.iter().any(|a| a == licence)
                    || excepted.is_some_and(|e| e.allow.iter().any(|a| a == licence))
            };
            let verdict = match &package.license {
                None => Err("no licence expression".to_owned()),
                Some(expression) => spdx::satisfied(expression, &allowed),
            };
            match verdict {
                Ok(true) => None,
                Ok(false) => Some(format!(
                    "{} {}: {:?}",
                    package.name, package.version, package.license
                )),
                Err(why) => Some(format!("{} {}: {why}", package.name, package.version)),
            }
        })
        .collect();
    assert_none(
        "a dependency has a licence that deny.toml does not allow",
        &offenders,
    );
}

#[test]
fn every_source_is_the_registry_or_the_workspace() {
    let metadata = graph::metadata();
    let offenders: Vec<String> = metadata
        .packages
        .iter()
        .filter(|package| match &package.source {
            Some(source) => !source.is_crates_io(),
            None => !metadata.workspace_members.contains(&package.id),
        })
        .map(|package| format!("{} from {:?}", package.name, package.source))
        .collect();
    assert_none(
        "a dependency does not come from the public registry",
        &offenders,
    );
}

#[test]
fn no_requirement_is_a_wildcard() {
    let offenders: Vec<String> = graph::members()
        .iter()
        .flat_map(|member| member.dependencies.iter().map(move |d| (member, d)))
        .filter(|(_, dependency)| dependency.req.comparators.is_empty())
        .map(|(member, dependency)| format!("{}: {}", member.name, dependency.name))
        .collect();
    assert_none("a dependency takes any version", &offenders);
}
