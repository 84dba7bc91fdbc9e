//! The variables of the environment, as far as a store asks for them.

use std::collections::BTreeMap;

use super::super::{Error, Result};

/// Variables that are set and not blank.
pub(super) struct Environment(BTreeMap<String, String>);

impl Environment {
    /// Of this process. What is no text configures no store.
    pub(super) fn of_process() -> Environment {
        let texts = std::env::vars_os()
            .filter_map(|(name, value)| Some((name.into_string().ok()?, value.into_string().ok()?)));
        Environment::from_iter(texts)
    }

    /// The first of these that is set, with its name.
    pub(super) fn first<'a>(&'a self, names: &[&'a str]) -> Option<(&'a str, &'a str)> {
        names.iter().find_map(|name| self.0.get(*name).map(|value| (*name, value.as_str())))
    }

    /// The value of the first of these that is set.
    pub(super) fn get<'a>(&'a self, names: &[&'a str]) -> Option<&'a str> {
        self.first(names).map(|(_, value)| value)
    }

    /// Whether a switch is on. Another word than those for yes and no is an error, not a no.
    pub(super) fn is_on(&self, name: &str) -> Result<bool> {
        match self.0.get(name).map(|v| v.to_ascii_lowercase()).as_deref() {
            None | Some("false" | "0" | "no" | "off" | "n") => Ok(false),
            Some("true" | "1" | "yes" | "on" | "y") => Ok(true),
            Some(other) => {
                Err(Error::environment(name, "true or false", format!("`{other}`"), "correct or unset it"))
            }
        }
    }

    /// The variables whose names begin like this, with names in lower case, as the builders of stores spell their keys.
    pub(super) fn keys<'a>(&'a self, prefix: &'a str) -> impl Iterator<Item = (String, &'a str)> {
        let named = self.0.iter().map(|(name, value)| (name.to_ascii_lowercase(), value.as_str()));
        named.filter(move |(name, _)| name.starts_with(prefix))
    }
}

impl<N: Into<String>, V: Into<String>> FromIterator<(N, V)> for Environment {
    fn from_iter<I: IntoIterator<Item = (N, V)>>(pairs: I) -> Self {
        let pairs = pairs.into_iter().map(|(name, value)| (name.into(), value.into().trim().to_owned()));
        Environment(pairs.filter(|(_, value)| !value.is_empty()).collect())
    }
}

/// The address of a service as a variable names it: `host:port` is an `http` address, as emulators are named.
pub(super) fn address(name: &str, value: &str) -> Result<String> {
    let full = if value.contains("://") { value.to_owned() } else { format!("http://{value}") };
    let wrong = |got: String| {
        Error::environment(
            name,
            "an address such as http://127.0.0.1:9000",
            got,
            "correct or unset it; credentials have variables of their own",
        )
    };
    let url = url::Url::parse(&full).map_err(|e| wrong(e.to_string()))?;
    if !matches!(url.scheme(), "http" | "https") || url.host_str().is_none() {
        return Err(wrong(format!("the scheme `{}`", url.scheme())));
    }
    if !url.username().is_empty() || url.password().is_some() || url.query().is_some() {
        return Err(wrong("one with a user, password or query in it".into()));
    }
    Ok(full.trim_end_matches('/').to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn blank_variables_count_as_unset_and_the_first_that_is_set_wins() {
        let environment = Environment::from_iter([("A", " "), ("B", " b "), ("C", "c")]);
        assert_eq!(environment.first(&["A", "B", "C"]), Some(("B", "b")));
        assert_eq!(environment.get(&["A", "D"]), None);
    }

    #[test]
    fn a_switch_is_on_off_or_an_error() {
        let environment = Environment::from_iter([("ON", "True"), ("OFF", "0"), ("WHAT", "maybe")]);
        assert!(environment.is_on("ON").unwrap());
        assert!(!environment.is_on("OFF").unwrap() && !environment.is_on("UNSET").unwrap());
        let error = environment.is_on("WHAT").unwrap_err().to_string();
        assert!(error.contains("WHAT") && error.contains("`maybe`"), "{error}");
    }

    #[test]
    fn an_address_may_leave_out_its_scheme_but_holds_no_secret() {
        assert_eq!(address("X", "localhost:4443").unwrap(), "http://localhost:4443");
        assert_eq!(address("X", "https://h/base/").unwrap(), "https://h/base");
        for wrong in ["https://user:hidden@h", "https://h/?sig=hidden", "ftp://h", "http://"] {
            let error = address("X", wrong).unwrap_err().to_string();
            assert!(error.contains('X') && !error.contains("hidden"), "{error}");
        }
    }
}
