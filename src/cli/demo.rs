//! `dsync demo`: two systems with different formats, step by step.
//!
//! Runs the real commands, in this process, on files that it writes; shows each command line, what it printed and
//! what became of the files.

use std::cell::RefCell;
use std::ffi::OsString;
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::rc::Rc;
use std::sync::Arc;

use clap::Args;
use serde_json::{Value as Json, json};

use super::arguments::DryRun;
use super::context::{Context, World, fill_random};
use super::error::Exit;
use super::text::{escape, shell_quote};
use super::ui::{Role, Stream, Ui};
use crate::disk::{Disk, DiskResult};
use crate::sync::{SyncError, SyncResult};

/// Build two systems in a temporary place and sync them, step by step
///
/// A phone with a folder of vCards and a laptop with a Google CSV share a folder as remote. Both edit one person,
/// one adds a person, and both change one number, which is a conflict to decide.
#[derive(Debug, Args)]
#[command(after_long_help = "Examples:\n  dsync demo\n  dsync demo demo-folder")]
pub(super) struct Demo {
    /// Where to build them; must not exist [default: a new temporary folder]
    dir: Option<PathBuf>,
    #[command(flatten)]
    dry_run: DryRun,
}

const ADA_CARD: &str = "BEGIN:VCARD\r\nVERSION:3.0\r\nUID:5a0c7d0e-7c1b-4f0e-9d55-0a6a3f1d2b11\r\nFN:Ada Lovelace\r\n\
    N:Lovelace;Ada;;;\r\nTEL;TYPE=CELL:+44 20 7946 0001\r\nEMAIL;TYPE=HOME:ada@example.org\r\n\
    NOTE:Wrote the first program.\r\nX-FAVOURITE-ENGINE:analytical\r\nEND:VCARD\r\n";

const GRACE_CARD: &str = "BEGIN:VCARD\r\nVERSION:3.0\r\nUID:c2f0f4be-2a4e-4b44-8f3a-6f1f7f0f9c22\r\nFN:Grace Hopper\r\n\
    N:Hopper;Grace;;;\r\nTEL;TYPE=CELL:+1 202 555 0101\r\nEMAIL;TYPE=WORK:grace@example.org\r\nEND:VCARD\r\n";

const KATHERINE_CARD: &str = "BEGIN:VCARD\r\nVERSION:3.0\r\nUID:e1b7a3d4-91c5-4d0a-b0b3-5d0c4e6f7a33\r\n\
    FN:Katherine Johnson\r\nN:Johnson;Katherine;;;\r\nTEL;TYPE=CELL:+1 757 555 0199\r\n\
    BDAY:1918-08-26\r\nEND:VCARD\r\n";

/// What Google exports, with the columns of two e-mails and phones.
const LAPTOP_CSV: &str = "First Name,Middle Name,Last Name,Phonetic First Name,Phonetic Middle Name,Phonetic Last Name,\
    Name Prefix,Name Suffix,Nickname,File As,Organization Name,Organization Title,Organization Department,Birthday,\
    Notes,Photo,Labels,E-mail 1 - Label,E-mail 1 - Value,Phone 1 - Label,Phone 1 - Value\n\
    Ada,,Lovelace,,,,,,,,Analytical Society,Analyst,,,,,* myContacts,Home,ada@example.org,,\n\
    Grace,,Hopper,,,,,,,,Navy,,,,,,* myContacts,Work,grace@example.org,Mobile,+1 202 555 0101\n\
    Alan,,Turing,,,,,,,,,,,,,,* myContacts,Work,alan@example.org,Mobile,+44 1908 555 014\n";

impl Demo {
    pub(super) fn run(&self, cx: &Context<'_>) -> SyncResult<Exit> {
        let root = self.root(cx)?;
        if self.dry_run.dry_run {
            let shown = root.display().to_string();
            if cx.ui.is_json() {
                cx.ui.object(&json!({"folder": shown, "dry_run": true}))?;
            } else {
                cx.ui
                    .told(format!("would build two systems and a remote in {}", escape(&shown)))?;
            }
            return Ok(Exit::Done);
        }
        let stage = Stage {
            cx,
            disk: Disk::default(),
            root,
        };
        stage.prepare()?;
        first_sync(&stage)?;
        different_fields(&stage)?;
        one_more(&stage)?;
        clash(&stage)?;
        stage.end()
    }

    fn root(&self, cx: &Context<'_>) -> SyncResult<PathBuf> {
        let root = if let Some(dir) = &self.dir {
            cx.path(dir)
        } else {
            let mut digits = [0; 6];
            fill_random(&mut digits);
            let name = format!("dsync-demo-{}", data_encoding::HEXLOWER.encode(&digits));
            std::env::temp_dir().join(name)
        };
        if Disk::default().stat(&root)?.is_some() {
            return Err(SyncError::Usage(format!(
                "`{}` exists; the demonstration needs a new folder",
                root.display()
            )));
        }
        Ok(root)
    }
}

fn first_sync(stage: &Stage<'_>) -> SyncResult<()> {
    stage.title("A phone keeps vCards, a laptop a Google CSV; Ada and Grace are in both")?;
    stage.show("phone/contacts/ada.vcf", &["FN", "TEL", "EMAIL", "X-"])?;
    stage.show("laptop/google.csv", &["Ada", "Grace", "Alan"])?;

    stage.title("The phone makes a store, binds its folder and makes a remote")?;
    stage.run("phone", &["init", "--name", "phone"])?;
    stage.run("phone", &["add-source", "contacts", "--collection", "contacts"])?;
    stage.run("phone", &["remote", "add", "origin", "../remote"])?;
    stage.run("phone", &["sync"])?;

    stage.title("The laptop joins with the key, binds its CSV and syncs; the same people are recognised")?;
    let key = "../phone/.dsync/keys/origin";
    stage.run(
        "laptop",
        &["clone", "../remote", ".", "--name", "laptop", "--key-file", key],
    )?;
    stage.run("laptop", &["add-source", "google.csv", "--collection", "contacts"])?;
    stage.run("laptop", &["sync"])?;
    stage.show("laptop/google.csv", &["Ada"])?;

    stage.title("The phone syncs: Alan came, Ada has her employer")?;
    stage.run("phone", &["sync"])?;
    stage.show("phone/contacts", &["FN:Alan", "FN:Ada", "ORG", "TITLE"])
}

fn different_fields(stage: &Stage<'_>) -> SyncResult<()> {
    stage.title("Both edit Ada: the phone her number, the laptop her title. No conflict")?;
    stage.edit("phone/contacts/ada.vcf", "+44 20 7946 0001", "+44 20 7946 0999")?;
    stage.edit("laptop/google.csv", "Analyst", "Chief Analyst")?;
    stage.run("phone", &["diff"])?;
    stage.run("phone", &["sync"])?;
    stage.run("laptop", &["sync"])?;
    stage.run("phone", &["sync"])?;
    stage.show("phone/contacts/ada.vcf", &["FN", "TEL", "TITLE", "X-"])?;
    stage.show("laptop/google.csv", &["Ada"])
}

fn one_more(stage: &Stage<'_>) -> SyncResult<()> {
    stage.title("The phone adds Katherine; the laptop gets a row")?;
    stage.write("phone/contacts/katherine.vcf", KATHERINE_CARD)?;
    stage.show("phone/contacts/katherine.vcf", &["FN", "TEL", "BDAY"])?;
    stage.run("phone", &["sync"])?;
    stage.run("laptop", &["sync"])?;
    stage.show("laptop/google.csv", &["Katherine"])
}

fn clash(stage: &Stage<'_>) -> SyncResult<()> {
    stage.title("Both change Grace's number: both values are kept until somebody decides")?;
    stage.edit("phone/contacts/grace.vcf", "+1 202 555 0101", "+1 202 555 0177")?;
    stage.edit("laptop/google.csv", "+1 202 555 0101", "+1 202 555 0188")?;
    stage.run("phone", &["sync"])?;
    stage.run("laptop", &["sync"])?;
    stage.run("laptop", &["conflicts"])?;
    let (collection, key, path) = stage.first_conflict("laptop")?;
    stage.run("laptop", &["resolve", &collection, &key, &path, "--take", "2"])?;
    stage.run("laptop", &["sync"])?;
    stage.run("phone", &["sync"])?;
    stage.show("phone/contacts/grace.vcf", &["FN", "TEL"])?;
    stage.show("laptop/google.csv", &["Grace"])?;

    stage.title("A second sync has nothing to do, and the history tells who did what")?;
    stage.run("phone", &["sync"])?;
    stage.run("phone", &["log", "--graph"])
}

/// The folder in which the demonstration plays, and the way to show it.
struct Stage<'a> {
    cx: &'a Context<'a>,
    disk: Disk,
    root: PathBuf,
}

impl Stage<'_> {
    fn prepare(&self) -> SyncResult<()> {
        for folder in ["phone/contacts", "laptop"] {
            self.disk.create_dir_all(&self.root.join(folder))?;
        }
        self.write("phone/contacts/ada.vcf", ADA_CARD)?;
        self.write("phone/contacts/grace.vcf", GRACE_CARD)?;
        self.write("laptop/google.csv", LAPTOP_CSV)
    }

    fn title(&self, text: &str) -> SyncResult<()> {
        let ui = self.cx.ui;
        if ui.is_json() {
            return ui.object(&json!({"step": text}));
        }
        ui.line(format!("\n{}", ui.paint(Role::Heading, format!("# {text}"))))
    }

    /// Runs a command on a system, shows it, and stops the demonstration where it failed.
    fn run(&self, system: &str, words: &[&str]) -> SyncResult<()> {
        self.cx.check_interrupt()?;
        let (exit, output) = self.capture(system, words);
        let ui = self.cx.ui;
        let shown: Vec<String> = words.iter().map(|word| shell_quote(word)).collect();
        let command = format!("dsync {}", shown.join(" "));
        if ui.is_json() {
            ui.object(&json!({"system": system, "command": command, "exit": exit.number(), "output": output}))?;
        } else {
            ui.line(format!("{} {command}", ui.paint(Role::Aside, format!("{system}$"))))?;
            // What the command printed is escaped and coloured already.
            ui.bytes(output.as_bytes())?;
        }
        match exit {
            Exit::Done | Exit::Open => Ok(()),
            Exit::Interrupted => Err(SyncError::Interrupted),
            _ => Err(SyncError::Other {
                what: format!(
                    "the demonstration stops: `{command}` ended with exit code {}",
                    exit.number()
                ),
                source: format!("the systems are in `{}`", self.root.display()).into(),
            }),
        }
    }

    /// Runs a command in this process and returns what it printed on both streams.
    fn capture(&self, system: &str, words: &[&str]) -> (Exit, String) {
        let world = World {
            directory: self.root.join(system),
            store: None,
            machine: self.cx.world.machine.clone(),
            interrupted: Arc::clone(&self.cx.world.interrupted),
            home: None,
            variables: std::collections::BTreeMap::new(),
        };
        let words: Vec<OsString> = words.iter().map(OsString::from).collect();
        let printed = Shared::default();
        let colour = self.cx.ui.colours_out();
        let exit = super::execute(&words, &world, &|_, verbosity| {
            let stream = || Stream::new(Box::new(printed.clone()), colour, false);
            Ui::new(stream(), stream(), verbosity, false)
        });
        let bytes = printed.bytes.borrow();
        (exit, String::from_utf8_lossy(&bytes).into_owned())
    }

    fn first_conflict(&self, system: &str) -> SyncResult<(String, String, String)> {
        let (_, output) = self.capture(system, &["conflicts", "--json"]);
        let conflict: Option<Json> = output.lines().next().and_then(|line| serde_json::from_str(line).ok());
        let text = |name: &str| Some(conflict.as_ref()?.get(name)?.as_str()?.to_owned());
        match (text("collection"), text("key"), text("path")) {
            (Some(collection), Some(key), Some(path)) => Ok((collection, key, path)),
            _ => Err(SyncError::Other {
                what: "the demonstration stops: there is no conflict to decide".to_owned(),
                source: output.into(),
            }),
        }
    }

    /// Shows the lines of a file, or of the files of a folder, that start with one of `starts`.
    fn show(&self, relative: &str, starts: &[&str]) -> SyncResult<()> {
        let path = self.root.join(relative);
        let files = if self.disk.is_dir(&path) {
            self.disk.list(&path)?.into_iter().map(|(file, _)| file).collect()
        } else {
            vec![path]
        };
        for file in files {
            self.show_file(&file, starts)?;
        }
        Ok(())
    }

    fn show_file(&self, file: &Path, starts: &[&str]) -> SyncResult<()> {
        let bytes = self.disk.read(file)?;
        let text = String::from_utf8_lossy(&bytes);
        let lines: Vec<&str> = text
            .lines()
            .filter(|line| starts.iter().any(|start| line.starts_with(start)))
            .collect();
        let name = file.strip_prefix(&self.root).unwrap_or(file).display().to_string();
        let ui = self.cx.ui;
        if ui.is_json() {
            return ui.object(&json!({"file": name, "lines": lines}));
        }
        ui.line(ui.paint(Role::Aside, format!("{}:", escape(&name))))?;
        for line in lines {
            ui.line(format!("  {} {}", ui.paint(Role::Aside, "|"), escape(line.trim_end())))?;
        }
        Ok(())
    }

    fn write(&self, relative: &str, text: &str) -> SyncResult<()> {
        let written: DiskResult<()> = self.disk.replace(&self.root.join(relative), text.as_bytes());
        Ok(written?)
    }

    /// Edits a file as a person with an editor does.
    fn edit(&self, relative: &str, old: &str, new: &str) -> SyncResult<()> {
        let bytes = self.disk.read(&self.root.join(relative))?;
        let text = String::from_utf8_lossy(&bytes);
        if !text.contains(old) {
            return Err(SyncError::Other {
                what: format!("the demonstration stops: `{old}` is not in `{relative}`"),
                source: text.into_owned().into(),
            });
        }
        self.write(relative, &text.replace(old, new))?;
        let ui = self.cx.ui;
        if ui.is_json() {
            return ui.object(&json!({"file": relative, "old": old, "new": new}));
        }
        let (old, new) = (ui.paint(Role::Removed, old), ui.paint(Role::Added, new));
        ui.line(format!(
            "{} {old} → {new}",
            ui.paint(Role::Aside, format!("{relative}, edited:"))
        ))
    }

    /// Compares the states of both systems and tells where they lie.
    fn end(&self) -> SyncResult<Exit> {
        let state = |system: &str| {
            let (_, output) = self.capture(system, &["status", "--json"]);
            let status: Json = serde_json::from_str(&output).unwrap_or_default();
            status.get("state").and_then(Json::as_str).map(str::to_owned)
        };
        let (phone, laptop) = (state("phone"), state("laptop"));
        if phone.is_none() || phone != laptop {
            return Err(SyncError::Other {
                what: "the two systems are not in step".to_owned(),
                source: format!("phone {phone:?}, laptop {laptop:?}").into(),
            });
        }
        let ui = self.cx.ui;
        let state = phone.unwrap_or_default();
        if ui.is_json() {
            ui.object(&json!({"state": state, "folder": self.root}))?;
        } else {
            ui.line(format!("\nboth systems have state {}", super::text::short(&state)))?;
            ui.line(format!("they are in {}", escape(&self.root.display().to_string())))?;
        }
        Ok(Exit::Done)
    }
}

/// Both streams of a captured command.
#[derive(Debug, Clone, Default)]
struct Shared {
    bytes: Rc<RefCell<Vec<u8>>>,
}

impl Write for Shared {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.bytes.borrow_mut().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
