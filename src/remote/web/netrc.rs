//! `~/.netrc`: logins by host, as curl, ftp and git read them.

use secrecy::SecretString;

/// Returns the login for a host, and for this user if one is named; `default` entries count for every host.
pub(super) fn login(text: &str, host: &str, user: Option<&str>) -> Option<(String, SecretString)> {
    let mut words = text
        .lines()
        .filter(|line| !line.trim_start().starts_with('#'))
        .flat_map(words_of);
    let mut entry = Entry::default();
    let mut inside_macro = false;
    loop {
        let word = words.next();
        match word.as_deref() {
            Some("machine") => {
                if let Some(found) = entry.login_for(user) {
                    return Some(found);
                }
                entry = Entry {
                    applies: words.next().as_deref() == Some(host),
                    ..Entry::default()
                };
                inside_macro = false;
            }
            Some("default") => {
                if let Some(found) = entry.login_for(user) {
                    return Some(found);
                }
                entry = Entry {
                    applies: true,
                    ..Entry::default()
                };
                inside_macro = false;
            }
            Some("login") if !inside_macro => entry.login = words.next(),
            Some("password") if !inside_macro => entry.password = words.next(),
            Some("macdef") => inside_macro = true,
            Some(_) => {}
            None => return entry.login_for(user),
        }
    }
}

#[derive(Default)]
struct Entry {
    applies: bool,
    login: Option<String>,
    password: Option<String>,
}

impl Entry {
    fn login_for(&mut self, user: Option<&str>) -> Option<(String, SecretString)> {
        let login = self.login.take().or_else(|| user.map(str::to_owned))?;
        let fits = self.applies && user.is_none_or(|user| user == login);
        let password = self.password.take()?;
        fits.then(|| (login, SecretString::from(password)))
    }
}

/// Splits a line into words; a word in double quotes may hold blanks, and `\` takes the next character as it is.
fn words_of(line: &str) -> Vec<String> {
    let mut words = Vec::new();
    let mut characters = line.chars().peekable();
    while let Some(first) = characters.find(|character| !character.is_whitespace()) {
        let quoted = first == '"';
        let mut word = String::new();
        let mut next = if quoted { characters.next() } else { Some(first) };
        while let Some(character) = next {
            match character {
                '\\' if quoted => word.extend(characters.next()),
                '"' if quoted => break,
                blank if !quoted && blank.is_whitespace() => break,
                other => word.push(other),
            }
            next = characters.next();
        }
        words.push(word);
    }
    words
}

#[cfg(test)]
mod tests {
    use secrecy::ExposeSecret;

    use super::*;

    fn found(text: &str, host: &str, user: Option<&str>) -> Option<String> {
        login(text, host, user).map(|(user, password)| format!("{user}/{}", password.expose_secret()))
    }

    #[test]
    fn the_entry_of_the_host_and_user_counts() {
        let text = "# machine nas login no password no\nmachine other login a password b\n\
                    machine nas\n  login me\n  password \"a \\\"b\"\nmachine nas login you password c#d\n\
                    machine bare password e\ndefault login anonymous password x\n";
        assert_eq!(found(text, "nas", None).as_deref(), Some("me/a \"b"));
        assert_eq!(found(text, "nas", Some("you")).as_deref(), Some("you/c#d"));
        assert_eq!(found(text, "bare", Some("me")).as_deref(), Some("me/e"));
        assert_eq!(found(text, "else", None).as_deref(), Some("anonymous/x"));
        assert_eq!(found(text, "else", Some("me")), None);
        assert_eq!(found("machine nas login me", "nas", None), None);
        assert_eq!(found("", "nas", None), None);
    }
}
