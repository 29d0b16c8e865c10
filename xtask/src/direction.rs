//! Which crate of the workspace may depend on which, and whether they keep to it.
//!
//! The rule is [`RULES`]; everything else here applies it to what cargo says of the manifests.

use cargo_metadata::{DependencyKind, Metadata};
use std::fmt;

/// What one member of the workspace may depend on.
struct Rule {
    /// The member.
    package: &'static str,
    /// The members it may use.
    members: &'static [&'static str],
    /// The members that its tests may use besides.
    in_tests: &'static [&'static str],
    /// What it may use from outside. Tests may use anything from there.
    outside: Outside,
}

/// What a member may use from outside the workspace.
enum Outside {
    Anything,
    Only(&'static [&'static str]),
}

/// The rule. A member that isn't listed may not be in the workspace.
const RULES: [Rule; 10] = [
    // Everything speaks in its words, the browser too.
    Rule { package: "model", members: &[], in_tests: &[], outside: Outside::Only(&["serde"]) },
    // The law is pure: no clock, no input or output, no logging could be reached from it.
    Rule { package: "control", members: &["model"], in_tests: &[], outside: Outside::Only(&["serde"]) },
    Rule { package: "devices", members: &["model"], in_tests: &["simulator"], outside: Outside::Anything },
    Rule { package: "store", members: &["model"], in_tests: &[], outside: Outside::Anything },
    // It shares no code with the clients that it stands in for the devices of.
    Rule { package: "simulator", members: &["model"], in_tests: &[], outside: Outside::Anything },
    Rule {
        package: "engine",
        members: &["model", "control", "devices", "store"],
        in_tests: &["simulator"],
        outside: Outside::Anything,
    },
    // The page is shown what the program knows, in the model's words and the law's; it reaches no device and no file.
    Rule { package: "app", members: &["model", "control"], in_tests: &[], outside: Outside::Anything },
    Rule { package: "frontend", members: &["app"], in_tests: &[], outside: Outside::Anything },
    Rule {
        package: "server",
        members: &["model", "control", "devices", "store", "engine", "simulator", "app"],
        in_tests: &[],
        outside: Outside::Anything,
    },
    // A change of the product rebuilds no tool, and a broken product breaks none.
    Rule { package: "xtask", members: &[], in_tests: &[], outside: Outside::Anything },
];

/// A member of the workspace as its manifest has it.
pub(crate) struct Member {
    name: String,
    dependencies: Vec<Dependency>,
}

struct Dependency {
    name: String,
    /// Only its tests, examples and benches have it.
    in_tests: bool,
}

/// A dependency that shouldn't be.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Violation {
    /// Nobody said what this member may use.
    NoRule(String),
    /// A rule is left over from a member that is gone.
    NoMember(&'static str),
    /// The first may not depend on the second.
    Edge { from: String, to: String, in_tests: bool },
}

impl fmt::Display for Violation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NoRule(name) => write!(f, "{name} has no rule"),
            Self::NoMember(name) => write!(f, "there is a rule for {name}, and no such crate"),
            Self::Edge { from, to, in_tests: false } => write!(f, "{from} may not depend on {to}"),
            Self::Edge { from, to, in_tests: true } => {
                write!(f, "the tests of {from} may not depend on {to}")
            }
        }
    }
}

/// The members with their direct dependencies. A build script's are the package's own.
pub(crate) fn members(metadata: &Metadata) -> Vec<Member> {
    let dependency = |dependency: &cargo_metadata::Dependency| Dependency {
        name: dependency.name.clone(),
        in_tests: dependency.kind == DependencyKind::Development,
    };
    let member = |package: &cargo_metadata::Package| Member {
        name: package.name.to_string(),
        dependencies: package.dependencies.iter().map(dependency).collect(),
    };
    metadata.workspace_packages().into_iter().map(member).collect()
}

/// Everything that is against the rule.
pub(crate) fn violations(members: &[Member]) -> Vec<Violation> {
    let is_member = |name: &str| members.iter().any(|member| member.name == name);
    let mut violations: Vec<_> = RULES
        .iter()
        .filter(|rule| !is_member(rule.package))
        .map(|rule| Violation::NoMember(rule.package))
        .collect();
    for member in members {
        let Some(rule) = RULES.iter().find(|rule| rule.package == member.name) else {
            violations.push(Violation::NoRule(member.name.clone()));
            continue;
        };
        let forbidden = member
            .dependencies
            .iter()
            .filter(|dependency| !rule.allows(dependency, is_member(&dependency.name)));
        violations.extend(forbidden.map(|dependency| Violation::Edge {
            from: member.name.clone(),
            to: dependency.name.clone(),
            in_tests: dependency.in_tests,
        }));
    }
    violations
}

impl Rule {
    fn allows(&self, dependency: &Dependency, is_member: bool) -> bool {
        let name = dependency.name.as_str();
        if is_member {
            return self.members.contains(&name) || (dependency.in_tests && self.in_tests.contains(&name));
        }
        match self.outside {
            Outside::Anything => true,
            Outside::Only(few) => dependency.in_tests || few.contains(&name),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::workspace::Workspace;

    const ALL: [&str; 10] =
        ["model", "control", "devices", "store", "simulator", "engine", "app", "frontend", "server", "xtask"];

    /// The architecture's picture, written down a second time: whoever on the left knows whom on the right.
    const ALLOWED: &str = "
        control model
        devices model
        store model
        simulator model
        engine model
        engine control
        engine devices
        engine store
        app model
        app control
        frontend app
        server model
        server control
        server devices
        server store
        server engine
        server simulator
        server app
    ";
    const ALLOWED_IN_TESTS: &str = "
        devices simulator
        engine simulator
    ";

    fn listed(list: &str, from: &str, to: &str) -> bool {
        list.lines().any(|line| line.trim() == format!("{from} {to}"))
    }

    /// A workspace in which one member has one dependency.
    fn with_edge(from: &str, to: &str, in_tests: bool) -> Vec<Violation> {
        let member = |name: &str| Member {
            name: name.to_owned(),
            dependencies: (name == from)
                .then(|| Dependency { name: to.to_owned(), in_tests })
                .into_iter()
                .collect(),
        };
        violations(&ALL.map(member))
    }

    fn edge(from: &str, to: &str, in_tests: bool) -> Vec<Violation> {
        vec![Violation::Edge { from: from.to_owned(), to: to.to_owned(), in_tests }]
    }

    #[test]
    fn every_edge_between_members_is_allowed_or_rejected_as_drawn() {
        for from in ALL {
            for to in ALL {
                for in_tests in [false, true] {
                    let allowed =
                        listed(ALLOWED, from, to) || (in_tests && listed(ALLOWED_IN_TESTS, from, to));
                    let expected = if allowed { vec![] } else { edge(from, to, in_tests) };
                    assert_eq!(with_edge(from, to, in_tests), expected);
                }
            }
        }
    }

    #[test]
    fn model_and_control_know_nothing_outside_but_serde() {
        for from in ["model", "control"] {
            assert_eq!(with_edge(from, "serde", false), []);
            assert_eq!(with_edge(from, "proptest", true), []);
            for to in ["tokio", "chrono", "tracing", "serde_json"] {
                assert_eq!(with_edge(from, to, false), edge(from, to, false));
            }
        }
        assert_eq!(with_edge("devices", "tokio", false), []);
    }

    #[test]
    fn members_and_rules_belong_together() {
        let stranger = Member { name: "helpers".to_owned(), dependencies: vec![] };
        let found = violations(&[stranger]);
        assert!(found.contains(&Violation::NoRule("helpers".to_owned())));
        assert!(found.contains(&Violation::NoMember("model")));
        assert_eq!(found.len(), 1 + ALL.len());
    }

    #[test]
    fn this_workspace_keeps_to_the_rule() {
        let workspace = Workspace::find().unwrap();
        let members = members(workspace.metadata());
        assert!(members.iter().any(|member| !member.dependencies.is_empty()));
        assert_eq!(violations(&members), []);
    }
}
