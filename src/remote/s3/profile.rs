//! Who to be towards S3 and where it is: the address, the environment, the profiles of the AWS tools.

use std::collections::BTreeMap;

use rusty_s3::{Bucket, Credentials, UrlStyle};
use secrecy::ExposeSecret;
use url::Url;

use super::super::address::NetworkAddress;
use super::super::network::{Network, TransportOptions};
use super::super::storage::{StorageError, StorageResult};

/// The region where nothing names one; what other servers than AWS's expect.
const DEFAULT_REGION: &str = "us-east-1";
/// The parameters that an address may have.
const PARAMETERS: [&str; 4] = ["endpoint", "region", "profile", "style"];

/// Where a bucket is and who asks.
pub(super) struct Place {
    pub(super) bucket: Bucket,
    /// `None`: the requests are not signed.
    pub(super) credentials: Option<Credentials>,
}

/// Finds bucket and credentials: first what the address says, then the environment, then the profile.
pub(super) fn place(address: &NetworkAddress, options: &TransportOptions, network: &Network) -> StorageResult<Place> {
    let bad = |reason: String| StorageError::Failed {
        action: "use the address",
        name: address.url.to_string(),
        temporary: false,
        source: std::sync::Arc::new(std::io::Error::other(reason)),
    };
    if let Some((name, _)) = address
        .url
        .query_pairs()
        .find(|(name, _)| !PARAMETERS.contains(&&**name))
    {
        return Err(bad(format!("`{name}` is none of {}", PARAMETERS.join(", "))));
    }
    let named_profile = address.parameter("profile");
    let profile = named_profile.as_deref().or(network.variable("AWS_PROFILE"));
    let settings = settings(network, profile.unwrap_or("default"))?;
    if let Some(profile) = profile
        && settings.is_empty()
    {
        return Err(bad(format!("there is no profile `{profile}`")));
    }
    let setting = |key: &str| settings.get(key).cloned();
    let first_variable = |names: &[&str]| names.iter().find_map(|name| network.variable(name)).map(str::to_owned);

    let region = address
        .parameter("region")
        .or_else(|| first_variable(&["AWS_REGION", "AWS_DEFAULT_REGION"]))
        .or_else(|| setting("region"))
        .unwrap_or_else(|| DEFAULT_REGION.to_owned());
    let endpoint = address
        .parameter("endpoint")
        .or_else(|| first_variable(&["AWS_ENDPOINT_URL_S3", "AWS_ENDPOINT_URL"]))
        .or_else(|| setting("endpoint_url"));
    let name = address.url.host_str().unwrap_or_default().to_owned();
    // A bucket with dots in its name fits no certificate as part of a host name.
    let of_aws = endpoint.is_none() && !name.contains('.');
    let style = match address.parameter("style").as_deref() {
        None if of_aws => UrlStyle::VirtualHost,
        Some("virtual") => UrlStyle::VirtualHost,
        None | Some("path") => UrlStyle::Path,
        Some(other) => return Err(bad(format!("the style `{other}` is neither `path` nor `virtual`"))),
    };
    let endpoint = match endpoint {
        Some(text) if text.contains("://") => text,
        Some(host) => format!("https://{host}"),
        None => format!("https://s3.{region}.amazonaws.com"),
    };
    let endpoint = Url::parse(&endpoint).map_err(|error| bad(format!("its endpoint is no URL: {error}")))?;
    let bucket = Bucket::new(endpoint, style, name, region).map_err(|error| bad(error.to_string()))?;

    let given = address
        .user()
        .zip(address.password.as_ref().or(options.password.as_ref()));
    let credentials = if let Some((key, secret)) = given {
        Some(Credentials::new(key, secret.expose_secret()))
    } else if let (None, Some(key), Some(secret)) = (
        named_profile,
        network.variable("AWS_ACCESS_KEY_ID"),
        network.variable("AWS_SECRET_ACCESS_KEY"),
    ) {
        Some(credentials(key, secret, network.variable("AWS_SESSION_TOKEN")))
    } else {
        let pair = settings
            .get("aws_access_key_id")
            .zip(settings.get("aws_secret_access_key"));
        let token = settings.get("aws_session_token").map(String::as_str);
        pair.map(|(key, secret)| credentials(key, secret, token))
    };
    Ok(Place { bucket, credentials })
}

fn credentials(key: &str, secret: &str, token: Option<&str>) -> Credentials {
    match token {
        Some(token) => Credentials::new_with_token(key, secret, token),
        None => Credentials::new(key, secret),
    }
}

/// Reads the settings of a profile; those of the credentials file count more.
fn settings(network: &Network, profile: &str) -> StorageResult<BTreeMap<String, String>> {
    let mut all = BTreeMap::new();
    let in_config = match profile {
        "default" => "default".to_owned(),
        other => format!("profile {other}"),
    };
    for (variable, file, section) in [
        ("AWS_CONFIG_FILE", ".aws/config", in_config.as_str()),
        ("AWS_SHARED_CREDENTIALS_FILE", ".aws/credentials", profile),
    ] {
        if let Some(path) = network.personal_file(variable, file)
            && let Some(text) = network.read_text(&path)?
        {
            all.extend(section_of(&text, section));
        }
    }
    Ok(all)
}

/// Reads one section of an INI file; indented lines are nested settings of other programs.
fn section_of(text: &str, section: &str) -> BTreeMap<String, String> {
    let mut inside = false;
    let mut found = BTreeMap::new();
    for line in text.lines() {
        if let Some(name) = line.trim().strip_prefix('[').and_then(|rest| rest.strip_suffix(']')) {
            inside = name.trim() == section;
        } else if inside
            && !line.starts_with(['#', ';', ' ', '\t'])
            && let Some((key, value)) = line.split_once('=')
        {
            found.insert(key.trim().to_ascii_lowercase(), value.trim().to_owned());
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::super::super::address::Address;
    use super::*;

    fn found(url: &str, network: &Network) -> Result<(String, Option<String>), String> {
        let Address::Network(address) = Address::parse(url).unwrap() else {
            panic!("{url} is a folder");
        };
        let place = place(&address, &TransportOptions::default(), network);
        let place = place.map_err(|error| std::error::Error::source(&error).unwrap().to_string())?;
        let text = format!("{} {}", place.bucket.base_url(), place.bucket.region());
        Ok((text, place.credentials.map(|found| found.key().to_owned())))
    }

    #[test]
    fn the_address_counts_more_than_the_environment_and_that_more_than_a_profile() {
        let home = tempfile::tempdir().unwrap();
        std::fs::create_dir(home.path().join(".aws")).unwrap();
        let config = "[default]\nregion = r1\n[profile nas]\nendpoint_url = http://nas:9\ns3 =\n  region = no\n";
        std::fs::write(home.path().join(".aws/config"), config).unwrap();
        let keys = "[default]\naws_access_key_id=K1\naws_secret_access_key=S1\n\
                    [nas]\n# a remark = 1\naws_access_key_id = K2\naws_secret_access_key = S2\n";
        std::fs::write(home.path().join(".aws/credentials"), keys).unwrap();
        let mut network = Network {
            home: Some(home.path().to_owned()),
            ..Network::default()
        };
        let expect = |network: &Network, url: &str, place: &str, key: &str| {
            assert_eq!(
                found(url, network),
                Ok((place.to_owned(), Some(key.to_owned()))),
                "{url}"
            );
        };
        expect(&network, "s3://b/x", "https://b.s3.r1.amazonaws.com/ r1", "K1");
        expect(&network, "s3://b.c/x", "https://s3.r1.amazonaws.com/b.c/ r1", "K1");
        expect(&network, "s3://b/x?profile=nas", "http://nas:9/b/ us-east-1", "K2");
        expect(&network, "s3://b?endpoint=h:1&region=q", "https://h:1/b/ q", "K1");
        expect(
            &network,
            "s3://b?endpoint=http://h&style=virtual",
            "http://b.h/ r1",
            "K1",
        );
        expect(&network, "s3://K9:S9@b/x", "https://b.s3.r1.amazonaws.com/ r1", "K9");
        for (name, value) in [
            ("AWS_ACCESS_KEY_ID", "K3"),
            ("AWS_SECRET_ACCESS_KEY", "S3"),
            ("AWS_REGION", "r3"),
            ("AWS_ENDPOINT_URL", "http://e"),
        ] {
            network.variables.insert(name.to_owned(), value.to_owned());
        }
        expect(&network, "s3://b/x", "http://e/b/ r3", "K3");
        expect(&network, "s3://b/x?profile=nas", "http://e/b/ r3", "K2");
        assert_eq!(
            found("s3://b", &Network::default()),
            Ok(("https://b.s3.us-east-1.amazonaws.com/ us-east-1".to_owned(), None))
        );
    }

    #[test]
    fn what_an_address_cannot_say_is_refused() {
        for (url, reason) in [
            ("s3://b?secret=1", "`secret` is none of"),
            ("s3://b?style=x", "neither `path` nor"),
            ("s3://b?profile=x", "no profile `x`"),
            ("s3://b?endpoint=ftp://x", "scheme"),
        ] {
            let error = found(url, &Network::default()).unwrap_err();
            assert!(error.contains(reason), "{url}: {error}");
        }
    }
}
