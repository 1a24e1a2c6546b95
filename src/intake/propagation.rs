//! Towards whom a call's place may be told: trace context and identity, as a peer's headers.

use std::net::IpAddr;

use crate::environment::{Environment, Setting, Warning};

const NAME: &str = "VEILSPAN_PROPAGATE";

/// The destinations that are told of a call's trace and identity. Everybody else is told nothing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Propagation {
    loopback: bool,
    mcp: bool,
    /// In lower case; with a dot at the beginning for all below a domain.
    hosts: Vec<String>,
}

impl Default for Propagation {
    /// Loopback addresses and the MCP servers that this process talks to.
    fn default() -> Self {
        Self { loopback: true, mcp: true, hosts: Vec::new() }
    }
}

impl Propagation {
    /// Nobody.
    pub const NONE: Self = Self { loopback: false, mcp: false, hosts: Vec::new() };

    /// What `VEILSPAN_PROPAGATE` says: `loopback`, `mcp`, names of hosts and `*.domain`, joined by commas; `none` for
    /// nobody. What is not understood is left out.
    pub fn from_environment(environment: &Environment) -> (Self, Vec<Warning>) {
        const MESSAGE: &str =
            "not understood and left out; write `loopback`, `mcp`, `none`, host names and `*.domain`, joined by commas";
        let list = match environment.get(NAME) {
            Setting::Unset => return (Self::default(), Vec::new()),
            Setting::NotUnicode => return (Self::NONE, vec![Warning::new(NAME, "", MESSAGE)]),
            Setting::Set(list) => list,
        };
        let mut told = Self::NONE;
        let mut understood = true;
        for word in list.split(',').map(|word| word.trim().to_ascii_lowercase()).filter(|word| !word.is_empty()) {
            match &*word {
                "none" => {}
                "loopback" => told.loopback = true,
                "mcp" => told.mcp = true,
                host => match host_rule(host) {
                    Some(rule) => told.hosts.push(rule),
                    None => understood = false,
                },
            }
        }
        let warnings = if understood { Vec::new() } else { vec![Warning::new(NAME, list, MESSAGE)] };
        (told, warnings)
    }

    /// Whether this host, by name or address, is told.
    pub fn allows_host(&self, host: &str) -> bool {
        let host = host.trim_start_matches('[').trim_end_matches(']').trim_end_matches('.').to_ascii_lowercase();
        let is_loopback = host == "localhost" || host.parse::<IpAddr>().is_ok_and(|address| address.is_loopback());
        if is_loopback && self.loopback {
            return true;
        }
        self.hosts.iter().any(|rule| if rule.starts_with('.') { host.ends_with(rule.as_str()) } else { *rule == host })
    }

    /// Whether MCP servers are told.
    pub const fn allows_mcp(&self) -> bool {
        self.mcp
    }

    /// The words of the variable, hosts by their number alone.
    pub fn summary(&self) -> String {
        let hosts = (!self.hosts.is_empty()).then(|| format!("{} hosts", self.hosts.len()));
        let words = [self.loopback.then(|| "loopback".to_owned()), self.mcp.then(|| "mcp".to_owned()), hosts];
        let words: Vec<String> = words.into_iter().flatten().collect();
        if words.is_empty() { "none".to_owned() } else { words.join(",") }
    }
}

/// A host's name or address as it is compared; nothing for what is none.
fn host_rule(word: &str) -> Option<String> {
    let (name, rule) = match word.strip_prefix('*') {
        Some(domain) => (domain.strip_prefix('.')?, domain),
        None => (word, word),
    };
    let is_address = name.parse::<IpAddr>().is_ok();
    let is_name = !name.is_empty()
        && name.split('.').all(|label| {
            !label.is_empty() && label.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_'))
        });
    (is_address || is_name).then(|| rule.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn under(value: &str) -> (Propagation, usize) {
        let (told, warnings) = Propagation::from_environment(&[(NAME, value)].into_iter().collect());
        (told, warnings.len())
    }

    #[test]
    fn loopback_and_mcp_are_told_unless_something_else_is_said() {
        let told = Propagation::from_environment(&Environment::default()).0;
        for host in ["localhost", "127.0.0.1", "127.8.8.8", "::1", "[::1]", "LOCALHOST"] {
            assert!(told.allows_host(host), "{host}");
        }
        for host in ["api.openai.com", "localhost.evil.example", "10.0.0.1", ""] {
            assert!(!told.allows_host(host), "{host}");
        }
        assert!(told.allows_mcp());
        for none in ["none", "", " ", "NONE"] {
            assert_eq!(under(none), (Propagation::NONE, 0), "{none}");
        }
    }

    #[test]
    fn hosts_are_told_by_name_and_domains_by_a_star() {
        let (told, warnings) = under("Agents.internal, *.svc.local,10.0.0.7");
        assert_eq!(warnings, 0);
        for host in ["agents.internal", "AGENTS.INTERNAL.", "a.svc.local", "b.a.svc.local", "10.0.0.7"] {
            assert!(told.allows_host(host), "{host}");
        }
        for host in ["svc.local", "xsvc.local", "b.agents.internal", "localhost"] {
            assert!(!told.allows_host(host), "{host}");
        }
        assert_eq!(told.summary(), "3 hosts");
    }

    #[test]
    fn what_is_not_understood_is_left_out_and_warned_of_once() {
        let (told, warnings) = under("mcp,http://x,*,a b,.x");
        assert_eq!((told.summary().as_str(), warnings), ("mcp", 1));
    }
}
