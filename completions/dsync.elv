
use builtin;
use str;

set edit:completion:arg-completer[dsync] = {|@words|
    fn spaces {|n|
        builtin:repeat $n ' ' | str:join ''
    }
    fn cand {|text desc|
        edit:complex-candidate $text &display=$text' '(spaces (- 14 (wcswidth $text)))$desc
    }
    var command = 'dsync'
    for word $words[1..-1] {
        if (str:has-prefix $word '-') {
            break
        }
        set command = $command';'$word
    }
    var completions = [
        &'dsync'= {
            cand -C 'Work as if started in DIR'
            cand --store 'Use the store in DIR, not the one in or above the working directory [env: DSYNC_STORE]'
            cand --color 'Colour the text'
            cand --wait 'Wait at most so long for a store that is in use; 0 fails at once'
            cand --json 'Print JSON; errors become one JSON object on standard error'
            cand -q 'Print only what was asked for and errors'
            cand --quiet 'Print only what was asked for and errors'
            cand -v 'Print more (can be repeated)'
            cand --verbose 'Print more (can be repeated)'
            cand -h 'Print help (see more with ''--help'')'
            cand --help 'Print help (see more with ''--help'')'
            cand -V 'Print version'
            cand --version 'Print version'
            cand init 'Make a store in a folder'
            cand clone 'Start a new system from a remote'
            cand add-source 'Bind a file or folder as a source'
            cand remove-source 'Unbind a source; its file and the records stay'
            cand sources 'List the sources'
            cand collections 'List the collections, or set what one does about conflicts'
            cand columns 'List or change the columns of a collection of rows'
            cand formats 'List the formats, or describe one'
            cand remote 'Make, join, list and forget remotes'
            cand key 'Show and change who can open a remote'
            cand sync 'Bring sources, store and remotes in step'
            cand snapshot 'Read the sources and record what changed, no more'
            cand push 'Record a snapshot and send what remotes lack'
            cand fetch 'Get what remotes have; sources stay as they are'
            cand pull 'Fetch, merge and write the sources'
            cand apply 'Write the current state into the sources'
            cand status 'Tell how sources, collections and remotes stand'
            cand diff 'Show what a sync would do, or what differs between two states'
            cand log 'Show the snapshots, newest first'
            cand show 'Show what a snapshot changed'
            cand cat 'Show records'
            cand conflicts 'List the open conflicts'
            cand resolve 'Decide a conflict'
            cand undo 'Take back an operation; sources are brought back too'
            cand ops 'List what was done with this store, newest first'
            cand restore 'Bring back the state of a snapshot, in the store and the sources'
            cand convert 'Convert a file or folder to another format; no store is needed'
            cand pack 'Write changes into a file, for mail and USB sticks'
            cand unpack 'Take in a file made by `dsync pack`'
            cand watch 'Sync when sources or remotes change (not built yet)'
            cand schedule 'Print or install a timer for unattended syncs (not built yet)'
            cand verify 'Check every object, root and reference'
            cand gc 'Remove what nothing needs any more and fold packs together'
            cand roll 'Fold the packs on a remote'
            cand systems 'List who shares a remote with this system, and when last seen'
            cand serve 'Let a peer exchange with the store'
            cand manager 'Manage accounts and groups of systems (not built yet)'
            cand completions 'Print the completion script for a shell'
            cand man 'Print the manual page, or write the pages of all commands'
            cand demo 'Build two systems in a temporary place and sync them, step by step'
            cand help 'Print this message or the help of the given subcommand(s)'
        }
        &'dsync;init'= {
            cand --name 'The name by which other systems know this one [default: the name of the folder]'
            cand -C 'Work as if started in DIR'
            cand --store 'Use the store in DIR, not the one in or above the working directory [env: DSYNC_STORE]'
            cand --color 'Colour the text'
            cand --wait 'Wait at most so long for a store that is in use; 0 fails at once'
            cand --dry-run 'Tell what would happen and change nothing'
            cand --json 'Print JSON; errors become one JSON object on standard error'
            cand -q 'Print only what was asked for and errors'
            cand --quiet 'Print only what was asked for and errors'
            cand -v 'Print more (can be repeated)'
            cand --verbose 'Print more (can be repeated)'
            cand -h 'Print help (see more with ''--help'')'
            cand --help 'Print help (see more with ''--help'')'
        }
        &'dsync;clone'= {
            cand --name 'The name by which other systems know this one [default: the name of the folder]'
            cand --key-file 'Read the key from this file (an age identity or an SSH key)'
            cand --passphrase-file 'Read the passphrase from this file'
            cand --password-file 'Read the password of the user in the URL from this file'
            cand --token-file 'Read a bearer token from this file (HTTP)'
            cand --ca-file 'Trust the certificates in this PEM file instead of the system''s (HTTP, S3)'
            cand --limit-rate 'Send and receive at most so many bytes in a second'
            cand --ssh-command 'Connect to a peer by this command line instead of `ssh` [env: DSYNC_SSH_COMMAND]'
            cand --peer-program 'What dsync is called on the machine of a peer, if not `dsync`'
            cand -C 'Work as if started in DIR'
            cand --store 'Use the store in DIR, not the one in or above the working directory [env: DSYNC_STORE]'
            cand --color 'Colour the text'
            cand --wait 'Wait at most so long for a store that is in use; 0 fails at once'
            cand --accept-new 'Accept the key of a host that was never seen (SFTP, peers)'
            cand --dry-run 'Tell what would happen and change nothing'
            cand --json 'Print JSON; errors become one JSON object on standard error'
            cand -q 'Print only what was asked for and errors'
            cand --quiet 'Print only what was asked for and errors'
            cand -v 'Print more (can be repeated)'
            cand --verbose 'Print more (can be repeated)'
            cand -h 'Print help (see more with ''--help'')'
            cand --help 'Print help (see more with ''--help'')'
        }
        &'dsync;add-source'= {
            cand --name 'The source''s name [default: from LOCATION]'
            cand -c 'The collection that it feeds [default: the kind of its records]'
            cand --collection 'The collection that it feeds [default: the kind of its records]'
            cand --format 'The format, one of `dsync formats` [default: detected]'
            cand --key 'The columns that identify a row'
            cand --map 'A mapping file that says which column is which field'
            cand --encoding 'The encoding of a CSV file, such as windows-1250 [default: as its bytes say]'
            cand --filter 'Only records that match, such as ''country = "DE" and price > 10'''
            cand --fields 'Only these fields, such as name,phones,emails'
            cand --prefer 'While a field is in conflict, show the value of this system, or the newest [default: as the collection]'
            cand --direction 'Which way changes go [default: both]'
            cand -C 'Work as if started in DIR'
            cand --store 'Use the store in DIR, not the one in or above the working directory [env: DSYNC_STORE]'
            cand --color 'Colour the text'
            cand --wait 'Wait at most so long for a store that is in use; 0 fails at once'
            cand --create 'Accept a location that does not exist; the first sync makes it'
            cand --dry-run 'Tell what would happen and change nothing'
            cand --json 'Print JSON; errors become one JSON object on standard error'
            cand -q 'Print only what was asked for and errors'
            cand --quiet 'Print only what was asked for and errors'
            cand -v 'Print more (can be repeated)'
            cand --verbose 'Print more (can be repeated)'
            cand -h 'Print help (see more with ''--help'')'
            cand --help 'Print help (see more with ''--help'')'
        }
        &'dsync;remove-source'= {
            cand -C 'Work as if started in DIR'
            cand --store 'Use the store in DIR, not the one in or above the working directory [env: DSYNC_STORE]'
            cand --color 'Colour the text'
            cand --wait 'Wait at most so long for a store that is in use; 0 fails at once'
            cand --dry-run 'Tell what would happen and change nothing'
            cand --json 'Print JSON; errors become one JSON object on standard error'
            cand -q 'Print only what was asked for and errors'
            cand --quiet 'Print only what was asked for and errors'
            cand -v 'Print more (can be repeated)'
            cand --verbose 'Print more (can be repeated)'
            cand -h 'Print help (see more with ''--help'')'
            cand --help 'Print help (see more with ''--help'')'
        }
        &'dsync;sources'= {
            cand -C 'Work as if started in DIR'
            cand --store 'Use the store in DIR, not the one in or above the working directory [env: DSYNC_STORE]'
            cand --color 'Colour the text'
            cand --wait 'Wait at most so long for a store that is in use; 0 fails at once'
            cand --json 'Print JSON; errors become one JSON object on standard error'
            cand -q 'Print only what was asked for and errors'
            cand --quiet 'Print only what was asked for and errors'
            cand -v 'Print more (can be repeated)'
            cand --verbose 'Print more (can be repeated)'
            cand -h 'Print help (see more with ''--help'')'
            cand --help 'Print help (see more with ''--help'')'
        }
        &'dsync;collections'= {
            cand -C 'Work as if started in DIR'
            cand --store 'Use the store in DIR, not the one in or above the working directory [env: DSYNC_STORE]'
            cand --color 'Colour the text'
            cand --wait 'Wait at most so long for a store that is in use; 0 fails at once'
            cand --json 'Print JSON; errors become one JSON object on standard error'
            cand -q 'Print only what was asked for and errors'
            cand --quiet 'Print only what was asked for and errors'
            cand -v 'Print more (can be repeated)'
            cand --verbose 'Print more (can be repeated)'
            cand -h 'Print help (see more with ''--help'')'
            cand --help 'Print help (see more with ''--help'')'
            cand set 'Set what a collection does where two systems wrote one field'
            cand help 'Print this message or the help of the given subcommand(s)'
        }
        &'dsync;collections;set'= {
            cand --field 'Only for this field and what is below it, as `dsync conflicts` prints it'
            cand -C 'Work as if started in DIR'
            cand --store 'Use the store in DIR, not the one in or above the working directory [env: DSYNC_STORE]'
            cand --color 'Colour the text'
            cand --wait 'Wait at most so long for a store that is in use; 0 fails at once'
            cand --dry-run 'Tell what would happen and change nothing'
            cand --json 'Print JSON; errors become one JSON object on standard error'
            cand -q 'Print only what was asked for and errors'
            cand --quiet 'Print only what was asked for and errors'
            cand -v 'Print more (can be repeated)'
            cand --verbose 'Print more (can be repeated)'
            cand -h 'Print help (see more with ''--help'')'
            cand --help 'Print help (see more with ''--help'')'
        }
        &'dsync;collections;help'= {
            cand set 'Set what a collection does where two systems wrote one field'
            cand help 'Print this message or the help of the given subcommand(s)'
        }
        &'dsync;collections;help;set'= {
        }
        &'dsync;collections;help;help'= {
        }
        &'dsync;columns'= {
            cand --type 'Widen the type of a column: integer to decimal, anything to text (can be repeated)'
            cand --rename 'Give a column another name (can be repeated)'
            cand --drop 'Show a column nowhere any more; its values are kept (can be repeated)'
            cand --restore 'Show a dropped column again (can be repeated)'
            cand -C 'Work as if started in DIR'
            cand --store 'Use the store in DIR, not the one in or above the working directory [env: DSYNC_STORE]'
            cand --color 'Colour the text'
            cand --wait 'Wait at most so long for a store that is in use; 0 fails at once'
            cand --dry-run 'Tell what would happen and change nothing'
            cand --json 'Print JSON; errors become one JSON object on standard error'
            cand -q 'Print only what was asked for and errors'
            cand --quiet 'Print only what was asked for and errors'
            cand -v 'Print more (can be repeated)'
            cand --verbose 'Print more (can be repeated)'
            cand -h 'Print help (see more with ''--help'')'
            cand --help 'Print help (see more with ''--help'')'
        }
        &'dsync;formats'= {
            cand -C 'Work as if started in DIR'
            cand --store 'Use the store in DIR, not the one in or above the working directory [env: DSYNC_STORE]'
            cand --color 'Colour the text'
            cand --wait 'Wait at most so long for a store that is in use; 0 fails at once'
            cand --json 'Print JSON; errors become one JSON object on standard error'
            cand -q 'Print only what was asked for and errors'
            cand --quiet 'Print only what was asked for and errors'
            cand -v 'Print more (can be repeated)'
            cand --verbose 'Print more (can be repeated)'
            cand -h 'Print help (see more with ''--help'')'
            cand --help 'Print help (see more with ''--help'')'
        }
        &'dsync;remote'= {
            cand -C 'Work as if started in DIR'
            cand --store 'Use the store in DIR, not the one in or above the working directory [env: DSYNC_STORE]'
            cand --color 'Colour the text'
            cand --wait 'Wait at most so long for a store that is in use; 0 fails at once'
            cand --json 'Print JSON; errors become one JSON object on standard error'
            cand -q 'Print only what was asked for and errors'
            cand --quiet 'Print only what was asked for and errors'
            cand -v 'Print more (can be repeated)'
            cand --verbose 'Print more (can be repeated)'
            cand -h 'Print help (see more with ''--help'')'
            cand --help 'Print help (see more with ''--help'')'
            cand add 'Make a remote, or join one that is there'
            cand list 'List the remotes'
            cand remove 'Forget a remote; what lies there stays'
            cand help 'Print this message or the help of the given subcommand(s)'
        }
        &'dsync;remote;add'= {
            cand --key-file 'Read the key from this file (an age identity or an SSH key)'
            cand --passphrase-file 'Read the passphrase from this file'
            cand --password-file 'Read the password of the user in the URL from this file'
            cand --token-file 'Read a bearer token from this file (HTTP)'
            cand --ca-file 'Trust the certificates in this PEM file instead of the system''s (HTTP, S3)'
            cand --limit-rate 'Send and receive at most so many bytes in a second'
            cand --ssh-command 'Connect to a peer by this command line instead of `ssh` [env: DSYNC_SSH_COMMAND]'
            cand --peer-program 'What dsync is called on the machine of a peer, if not `dsync`'
            cand --recipient 'Also let this age or SSH public key open it (can be repeated)'
            cand -C 'Work as if started in DIR'
            cand --store 'Use the store in DIR, not the one in or above the working directory [env: DSYNC_STORE]'
            cand --color 'Colour the text'
            cand --wait 'Wait at most so long for a store that is in use; 0 fails at once'
            cand --plain 'Do not seal: whoever can read the storage can read the records'
            cand --accept-new 'Accept the key of a host that was never seen (SFTP, peers)'
            cand --dry-run 'Tell what would happen and change nothing'
            cand --json 'Print JSON; errors become one JSON object on standard error'
            cand -q 'Print only what was asked for and errors'
            cand --quiet 'Print only what was asked for and errors'
            cand -v 'Print more (can be repeated)'
            cand --verbose 'Print more (can be repeated)'
            cand -h 'Print help (see more with ''--help'')'
            cand --help 'Print help (see more with ''--help'')'
        }
        &'dsync;remote;list'= {
            cand -C 'Work as if started in DIR'
            cand --store 'Use the store in DIR, not the one in or above the working directory [env: DSYNC_STORE]'
            cand --color 'Colour the text'
            cand --wait 'Wait at most so long for a store that is in use; 0 fails at once'
            cand --json 'Print JSON; errors become one JSON object on standard error'
            cand -q 'Print only what was asked for and errors'
            cand --quiet 'Print only what was asked for and errors'
            cand -v 'Print more (can be repeated)'
            cand --verbose 'Print more (can be repeated)'
            cand -h 'Print help (see more with ''--help'')'
            cand --help 'Print help (see more with ''--help'')'
        }
        &'dsync;remote;remove'= {
            cand -C 'Work as if started in DIR'
            cand --store 'Use the store in DIR, not the one in or above the working directory [env: DSYNC_STORE]'
            cand --color 'Colour the text'
            cand --wait 'Wait at most so long for a store that is in use; 0 fails at once'
            cand --dry-run 'Tell what would happen and change nothing'
            cand --json 'Print JSON; errors become one JSON object on standard error'
            cand -q 'Print only what was asked for and errors'
            cand --quiet 'Print only what was asked for and errors'
            cand -v 'Print more (can be repeated)'
            cand --verbose 'Print more (can be repeated)'
            cand -h 'Print help (see more with ''--help'')'
            cand --help 'Print help (see more with ''--help'')'
        }
        &'dsync;remote;help'= {
            cand add 'Make a remote, or join one that is there'
            cand list 'List the remotes'
            cand remove 'Forget a remote; what lies there stays'
            cand help 'Print this message or the help of the given subcommand(s)'
        }
        &'dsync;remote;help;add'= {
        }
        &'dsync;remote;help;list'= {
        }
        &'dsync;remote;help;remove'= {
        }
        &'dsync;remote;help;help'= {
        }
        &'dsync;key'= {
            cand -C 'Work as if started in DIR'
            cand --store 'Use the store in DIR, not the one in or above the working directory [env: DSYNC_STORE]'
            cand --color 'Colour the text'
            cand --wait 'Wait at most so long for a store that is in use; 0 fails at once'
            cand --json 'Print JSON; errors become one JSON object on standard error'
            cand -q 'Print only what was asked for and errors'
            cand --quiet 'Print only what was asked for and errors'
            cand -v 'Print more (can be repeated)'
            cand --verbose 'Print more (can be repeated)'
            cand -h 'Print help (see more with ''--help'')'
            cand --help 'Print help (see more with ''--help'')'
            cand show 'List the keys and passphrases that open a remote'
            cand add 'Let one more key or passphrase open a remote'
            cand remove 'Take a key or passphrase away from a remote'
            cand help 'Print this message or the help of the given subcommand(s)'
        }
        &'dsync;key;show'= {
            cand -C 'Work as if started in DIR'
            cand --store 'Use the store in DIR, not the one in or above the working directory [env: DSYNC_STORE]'
            cand --color 'Colour the text'
            cand --wait 'Wait at most so long for a store that is in use; 0 fails at once'
            cand --json 'Print JSON; errors become one JSON object on standard error'
            cand -q 'Print only what was asked for and errors'
            cand --quiet 'Print only what was asked for and errors'
            cand -v 'Print more (can be repeated)'
            cand --verbose 'Print more (can be repeated)'
            cand -h 'Print help (see more with ''--help'')'
            cand --help 'Print help (see more with ''--help'')'
        }
        &'dsync;key;add'= {
            cand --key-file 'Read the key from this file (an age identity or an SSH key)'
            cand --passphrase-file 'Read the passphrase from this file'
            cand --recipient 'An age or SSH public key (can be repeated)'
            cand -C 'Work as if started in DIR'
            cand --store 'Use the store in DIR, not the one in or above the working directory [env: DSYNC_STORE]'
            cand --color 'Colour the text'
            cand --wait 'Wait at most so long for a store that is in use; 0 fails at once'
            cand --dry-run 'Tell what would happen and change nothing'
            cand --json 'Print JSON; errors become one JSON object on standard error'
            cand -q 'Print only what was asked for and errors'
            cand --quiet 'Print only what was asked for and errors'
            cand -v 'Print more (can be repeated)'
            cand --verbose 'Print more (can be repeated)'
            cand -h 'Print help (see more with ''--help'')'
            cand --help 'Print help (see more with ''--help'')'
        }
        &'dsync;key;remove'= {
            cand -C 'Work as if started in DIR'
            cand --store 'Use the store in DIR, not the one in or above the working directory [env: DSYNC_STORE]'
            cand --color 'Colour the text'
            cand --wait 'Wait at most so long for a store that is in use; 0 fails at once'
            cand --dry-run 'Tell what would happen and change nothing'
            cand --json 'Print JSON; errors become one JSON object on standard error'
            cand -q 'Print only what was asked for and errors'
            cand --quiet 'Print only what was asked for and errors'
            cand -v 'Print more (can be repeated)'
            cand --verbose 'Print more (can be repeated)'
            cand -h 'Print help (see more with ''--help'')'
            cand --help 'Print help (see more with ''--help'')'
        }
        &'dsync;key;help'= {
            cand show 'List the keys and passphrases that open a remote'
            cand add 'Let one more key or passphrase open a remote'
            cand remove 'Take a key or passphrase away from a remote'
            cand help 'Print this message or the help of the given subcommand(s)'
        }
        &'dsync;key;help;show'= {
        }
        &'dsync;key;help;add'= {
        }
        &'dsync;key;help;remove'= {
        }
        &'dsync;key;help;help'= {
        }
        &'dsync;sync'= {
            cand --source 'Only this source (can be repeated) [default: all]'
            cand --remote 'Only this remote (can be repeated) [default: all]'
            cand -C 'Work as if started in DIR'
            cand --store 'Use the store in DIR, not the one in or above the working directory [env: DSYNC_STORE]'
            cand --color 'Colour the text'
            cand --wait 'Wait at most so long for a store that is in use; 0 fails at once'
            cand --dry-run 'Tell what would happen and change nothing'
            cand --allow-deletes 'Take in that most items of a source were removed'
            cand --allow-changes 'Take in that one field changed in most items at once'
            cand --allow-empty 'Take in that a source is empty or gone'
            cand --accept-rollback 'Go on with a remote that went back behind what was seen of it'
            cand --json 'Print JSON; errors become one JSON object on standard error'
            cand -q 'Print only what was asked for and errors'
            cand --quiet 'Print only what was asked for and errors'
            cand -v 'Print more (can be repeated)'
            cand --verbose 'Print more (can be repeated)'
            cand -h 'Print help (see more with ''--help'')'
            cand --help 'Print help (see more with ''--help'')'
        }
        &'dsync;snapshot'= {
            cand -m 'A message for the log'
            cand --message 'A message for the log'
            cand -C 'Work as if started in DIR'
            cand --store 'Use the store in DIR, not the one in or above the working directory [env: DSYNC_STORE]'
            cand --color 'Colour the text'
            cand --wait 'Wait at most so long for a store that is in use; 0 fails at once'
            cand --dry-run 'Tell what would happen and change nothing'
            cand --allow-deletes 'Take in that most items of a source were removed'
            cand --allow-changes 'Take in that one field changed in most items at once'
            cand --allow-empty 'Take in that a source is empty or gone'
            cand --accept-rollback 'Go on with a remote that went back behind what was seen of it'
            cand --json 'Print JSON; errors become one JSON object on standard error'
            cand -q 'Print only what was asked for and errors'
            cand --quiet 'Print only what was asked for and errors'
            cand -v 'Print more (can be repeated)'
            cand --verbose 'Print more (can be repeated)'
            cand -h 'Print help (see more with ''--help'')'
            cand --help 'Print help (see more with ''--help'')'
        }
        &'dsync;push'= {
            cand -C 'Work as if started in DIR'
            cand --store 'Use the store in DIR, not the one in or above the working directory [env: DSYNC_STORE]'
            cand --color 'Colour the text'
            cand --wait 'Wait at most so long for a store that is in use; 0 fails at once'
            cand --dry-run 'Tell what would happen and change nothing'
            cand --allow-deletes 'Take in that most items of a source were removed'
            cand --allow-changes 'Take in that one field changed in most items at once'
            cand --allow-empty 'Take in that a source is empty or gone'
            cand --accept-rollback 'Go on with a remote that went back behind what was seen of it'
            cand --json 'Print JSON; errors become one JSON object on standard error'
            cand -q 'Print only what was asked for and errors'
            cand --quiet 'Print only what was asked for and errors'
            cand -v 'Print more (can be repeated)'
            cand --verbose 'Print more (can be repeated)'
            cand -h 'Print help (see more with ''--help'')'
            cand --help 'Print help (see more with ''--help'')'
        }
        &'dsync;fetch'= {
            cand -C 'Work as if started in DIR'
            cand --store 'Use the store in DIR, not the one in or above the working directory [env: DSYNC_STORE]'
            cand --color 'Colour the text'
            cand --wait 'Wait at most so long for a store that is in use; 0 fails at once'
            cand --dry-run 'Tell what would happen and change nothing'
            cand --allow-deletes 'Take in that most items of a source were removed'
            cand --allow-changes 'Take in that one field changed in most items at once'
            cand --allow-empty 'Take in that a source is empty or gone'
            cand --accept-rollback 'Go on with a remote that went back behind what was seen of it'
            cand --json 'Print JSON; errors become one JSON object on standard error'
            cand -q 'Print only what was asked for and errors'
            cand --quiet 'Print only what was asked for and errors'
            cand -v 'Print more (can be repeated)'
            cand --verbose 'Print more (can be repeated)'
            cand -h 'Print help (see more with ''--help'')'
            cand --help 'Print help (see more with ''--help'')'
        }
        &'dsync;pull'= {
            cand -C 'Work as if started in DIR'
            cand --store 'Use the store in DIR, not the one in or above the working directory [env: DSYNC_STORE]'
            cand --color 'Colour the text'
            cand --wait 'Wait at most so long for a store that is in use; 0 fails at once'
            cand --dry-run 'Tell what would happen and change nothing'
            cand --allow-deletes 'Take in that most items of a source were removed'
            cand --allow-changes 'Take in that one field changed in most items at once'
            cand --allow-empty 'Take in that a source is empty or gone'
            cand --accept-rollback 'Go on with a remote that went back behind what was seen of it'
            cand --json 'Print JSON; errors become one JSON object on standard error'
            cand -q 'Print only what was asked for and errors'
            cand --quiet 'Print only what was asked for and errors'
            cand -v 'Print more (can be repeated)'
            cand --verbose 'Print more (can be repeated)'
            cand -h 'Print help (see more with ''--help'')'
            cand --help 'Print help (see more with ''--help'')'
        }
        &'dsync;apply'= {
            cand -C 'Work as if started in DIR'
            cand --store 'Use the store in DIR, not the one in or above the working directory [env: DSYNC_STORE]'
            cand --color 'Colour the text'
            cand --wait 'Wait at most so long for a store that is in use; 0 fails at once'
            cand --dry-run 'Tell what would happen and change nothing'
            cand --allow-deletes 'Take in that most items of a source were removed'
            cand --allow-changes 'Take in that one field changed in most items at once'
            cand --allow-empty 'Take in that a source is empty or gone'
            cand --accept-rollback 'Go on with a remote that went back behind what was seen of it'
            cand --json 'Print JSON; errors become one JSON object on standard error'
            cand -q 'Print only what was asked for and errors'
            cand --quiet 'Print only what was asked for and errors'
            cand -v 'Print more (can be repeated)'
            cand --verbose 'Print more (can be repeated)'
            cand -h 'Print help (see more with ''--help'')'
            cand --help 'Print help (see more with ''--help'')'
        }
        &'dsync;status'= {
            cand -C 'Work as if started in DIR'
            cand --store 'Use the store in DIR, not the one in or above the working directory [env: DSYNC_STORE]'
            cand --color 'Colour the text'
            cand --wait 'Wait at most so long for a store that is in use; 0 fails at once'
            cand --json 'Print JSON; errors become one JSON object on standard error'
            cand -q 'Print only what was asked for and errors'
            cand --quiet 'Print only what was asked for and errors'
            cand -v 'Print more (can be repeated)'
            cand --verbose 'Print more (can be repeated)'
            cand -h 'Print help (see more with ''--help'')'
            cand --help 'Print help (see more with ''--help'')'
        }
        &'dsync;diff'= {
            cand --source 'Only this source'
            cand -c 'Only this collection'
            cand --collection 'Only this collection'
            cand -C 'Work as if started in DIR'
            cand --store 'Use the store in DIR, not the one in or above the working directory [env: DSYNC_STORE]'
            cand --color 'Colour the text'
            cand --wait 'Wait at most so long for a store that is in use; 0 fails at once'
            cand --stat 'Only how many records'
            cand --json 'Print JSON; errors become one JSON object on standard error'
            cand -q 'Print only what was asked for and errors'
            cand --quiet 'Print only what was asked for and errors'
            cand -v 'Print more (can be repeated)'
            cand --verbose 'Print more (can be repeated)'
            cand -h 'Print help (see more with ''--help'')'
            cand --help 'Print help (see more with ''--help'')'
        }
        &'dsync;log'= {
            cand -c 'Only this collection'
            cand --collection 'Only this collection'
            cand -n 'At most so many'
            cand -C 'Work as if started in DIR'
            cand --store 'Use the store in DIR, not the one in or above the working directory [env: DSYNC_STORE]'
            cand --color 'Colour the text'
            cand --wait 'Wait at most so long for a store that is in use; 0 fails at once'
            cand --graph 'Draw the lines of descent'
            cand --json 'Print JSON; errors become one JSON object on standard error'
            cand -q 'Print only what was asked for and errors'
            cand --quiet 'Print only what was asked for and errors'
            cand -v 'Print more (can be repeated)'
            cand --verbose 'Print more (can be repeated)'
            cand -h 'Print help (see more with ''--help'')'
            cand --help 'Print help (see more with ''--help'')'
        }
        &'dsync;show'= {
            cand -c 'The collection, where several exist'
            cand --collection 'The collection, where several exist'
            cand -C 'Work as if started in DIR'
            cand --store 'Use the store in DIR, not the one in or above the working directory [env: DSYNC_STORE]'
            cand --color 'Colour the text'
            cand --wait 'Wait at most so long for a store that is in use; 0 fails at once'
            cand --json 'Print JSON; errors become one JSON object on standard error'
            cand -q 'Print only what was asked for and errors'
            cand --quiet 'Print only what was asked for and errors'
            cand -v 'Print more (can be repeated)'
            cand --verbose 'Print more (can be repeated)'
            cand -h 'Print help (see more with ''--help'')'
            cand --help 'Print help (see more with ''--help'')'
        }
        &'dsync;cat'= {
            cand -C 'Work as if started in DIR'
            cand --store 'Use the store in DIR, not the one in or above the working directory [env: DSYNC_STORE]'
            cand --color 'Colour the text'
            cand --wait 'Wait at most so long for a store that is in use; 0 fails at once'
            cand --json 'Print JSON; errors become one JSON object on standard error'
            cand -q 'Print only what was asked for and errors'
            cand --quiet 'Print only what was asked for and errors'
            cand -v 'Print more (can be repeated)'
            cand --verbose 'Print more (can be repeated)'
            cand -h 'Print help (see more with ''--help'')'
            cand --help 'Print help (see more with ''--help'')'
        }
        &'dsync;conflicts'= {
            cand -C 'Work as if started in DIR'
            cand --store 'Use the store in DIR, not the one in or above the working directory [env: DSYNC_STORE]'
            cand --color 'Colour the text'
            cand --wait 'Wait at most so long for a store that is in use; 0 fails at once'
            cand --json 'Print JSON; errors become one JSON object on standard error'
            cand -q 'Print only what was asked for and errors'
            cand --quiet 'Print only what was asked for and errors'
            cand -v 'Print more (can be repeated)'
            cand --verbose 'Print more (can be repeated)'
            cand -h 'Print help (see more with ''--help'')'
            cand --help 'Print help (see more with ''--help'')'
        }
        &'dsync;resolve'= {
            cand --take 'Take the N-th value, or `base` for the one before both'
            cand --value 'Take another value'
            cand --same-as 'Say that KEY2 is the same record'
            cand --distinct 'Say that KEY2 is another record'
            cand -C 'Work as if started in DIR'
            cand --store 'Use the store in DIR, not the one in or above the working directory [env: DSYNC_STORE]'
            cand --color 'Colour the text'
            cand --wait 'Wait at most so long for a store that is in use; 0 fails at once'
            cand --by-policy 'Decide the open conflicts of the collection as its policies would show them (`dsync collections set`)'
            cand --dry-run 'Tell what would happen and change nothing'
            cand --json 'Print JSON; errors become one JSON object on standard error'
            cand -q 'Print only what was asked for and errors'
            cand --quiet 'Print only what was asked for and errors'
            cand -v 'Print more (can be repeated)'
            cand --verbose 'Print more (can be repeated)'
            cand -h 'Print help (see more with ''--help'')'
            cand --help 'Print help (see more with ''--help'')'
        }
        &'dsync;undo'= {
            cand -C 'Work as if started in DIR'
            cand --store 'Use the store in DIR, not the one in or above the working directory [env: DSYNC_STORE]'
            cand --color 'Colour the text'
            cand --wait 'Wait at most so long for a store that is in use; 0 fails at once'
            cand --dry-run 'Tell what would happen and change nothing'
            cand --allow-deletes 'Take in that most items of a source were removed'
            cand --allow-changes 'Take in that one field changed in most items at once'
            cand --allow-empty 'Take in that a source is empty or gone'
            cand --accept-rollback 'Go on with a remote that went back behind what was seen of it'
            cand --json 'Print JSON; errors become one JSON object on standard error'
            cand -q 'Print only what was asked for and errors'
            cand --quiet 'Print only what was asked for and errors'
            cand -v 'Print more (can be repeated)'
            cand --verbose 'Print more (can be repeated)'
            cand -h 'Print help (see more with ''--help'')'
            cand --help 'Print help (see more with ''--help'')'
        }
        &'dsync;ops'= {
            cand -n 'At most so many'
            cand -C 'Work as if started in DIR'
            cand --store 'Use the store in DIR, not the one in or above the working directory [env: DSYNC_STORE]'
            cand --color 'Colour the text'
            cand --wait 'Wait at most so long for a store that is in use; 0 fails at once'
            cand --all 'Also what changed neither records nor the configuration; so does `-v`'
            cand --json 'Print JSON; errors become one JSON object on standard error'
            cand -q 'Print only what was asked for and errors'
            cand --quiet 'Print only what was asked for and errors'
            cand -v 'Print more (can be repeated)'
            cand --verbose 'Print more (can be repeated)'
            cand -h 'Print help (see more with ''--help'')'
            cand --help 'Print help (see more with ''--help'')'
        }
        &'dsync;restore'= {
            cand -c 'The collection, where several exist'
            cand --collection 'The collection, where several exist'
            cand -C 'Work as if started in DIR'
            cand --store 'Use the store in DIR, not the one in or above the working directory [env: DSYNC_STORE]'
            cand --color 'Colour the text'
            cand --wait 'Wait at most so long for a store that is in use; 0 fails at once'
            cand --dry-run 'Tell what would happen and change nothing'
            cand --allow-deletes 'Take in that most items of a source were removed'
            cand --allow-changes 'Take in that one field changed in most items at once'
            cand --allow-empty 'Take in that a source is empty or gone'
            cand --accept-rollback 'Go on with a remote that went back behind what was seen of it'
            cand --json 'Print JSON; errors become one JSON object on standard error'
            cand -q 'Print only what was asked for and errors'
            cand --quiet 'Print only what was asked for and errors'
            cand -v 'Print more (can be repeated)'
            cand --verbose 'Print more (can be repeated)'
            cand -h 'Print help (see more with ''--help'')'
            cand --help 'Print help (see more with ''--help'')'
        }
        &'dsync;convert'= {
            cand --from 'The format of IN [default: detected]'
            cand --encoding 'The encoding of IN, such as windows-1250 [default: as its bytes say]'
            cand --to 'The format of OUT [default: by its name, or that of what is there]'
            cand -C 'Work as if started in DIR'
            cand --store 'Use the store in DIR, not the one in or above the working directory [env: DSYNC_STORE]'
            cand --color 'Colour the text'
            cand --wait 'Wait at most so long for a store that is in use; 0 fails at once'
            cand --dry-run 'Tell what would happen and change nothing'
            cand --json 'Print JSON; errors become one JSON object on standard error'
            cand -q 'Print only what was asked for and errors'
            cand --quiet 'Print only what was asked for and errors'
            cand -v 'Print more (can be repeated)'
            cand --verbose 'Print more (can be repeated)'
            cand -h 'Print help (see more with ''--help'')'
            cand --help 'Print help (see more with ''--help'')'
        }
        &'dsync;pack'= {
            cand --since 'Only what came after this snapshot [default: everything]'
            cand -c 'The collection of SNAP, where several exist'
            cand --collection 'The collection of SNAP, where several exist'
            cand -C 'Work as if started in DIR'
            cand --store 'Use the store in DIR, not the one in or above the working directory [env: DSYNC_STORE]'
            cand --color 'Colour the text'
            cand --wait 'Wait at most so long for a store that is in use; 0 fails at once'
            cand --dry-run 'Tell what would happen and change nothing'
            cand --json 'Print JSON; errors become one JSON object on standard error'
            cand -q 'Print only what was asked for and errors'
            cand --quiet 'Print only what was asked for and errors'
            cand -v 'Print more (can be repeated)'
            cand --verbose 'Print more (can be repeated)'
            cand -h 'Print help (see more with ''--help'')'
            cand --help 'Print help (see more with ''--help'')'
        }
        &'dsync;unpack'= {
            cand -C 'Work as if started in DIR'
            cand --store 'Use the store in DIR, not the one in or above the working directory [env: DSYNC_STORE]'
            cand --color 'Colour the text'
            cand --wait 'Wait at most so long for a store that is in use; 0 fails at once'
            cand --dry-run 'Tell what would happen and change nothing'
            cand --allow-deletes 'Take in that most items of a source were removed'
            cand --allow-changes 'Take in that one field changed in most items at once'
            cand --allow-empty 'Take in that a source is empty or gone'
            cand --accept-rollback 'Go on with a remote that went back behind what was seen of it'
            cand --json 'Print JSON; errors become one JSON object on standard error'
            cand -q 'Print only what was asked for and errors'
            cand --quiet 'Print only what was asked for and errors'
            cand -v 'Print more (can be repeated)'
            cand --verbose 'Print more (can be repeated)'
            cand -h 'Print help (see more with ''--help'')'
            cand --help 'Print help (see more with ''--help'')'
        }
        &'dsync;watch'= {
            cand --interval 'How often to look at remotes'
            cand -C 'Work as if started in DIR'
            cand --store 'Use the store in DIR, not the one in or above the working directory [env: DSYNC_STORE]'
            cand --color 'Colour the text'
            cand --wait 'Wait at most so long for a store that is in use; 0 fails at once'
            cand --json 'Print JSON; errors become one JSON object on standard error'
            cand -q 'Print only what was asked for and errors'
            cand --quiet 'Print only what was asked for and errors'
            cand -v 'Print more (can be repeated)'
            cand --verbose 'Print more (can be repeated)'
            cand -h 'Print help (see more with ''--help'')'
            cand --help 'Print help (see more with ''--help'')'
        }
        &'dsync;schedule'= {
            cand --every 'How often'
            cand -C 'Work as if started in DIR'
            cand --store 'Use the store in DIR, not the one in or above the working directory [env: DSYNC_STORE]'
            cand --color 'Colour the text'
            cand --wait 'Wait at most so long for a store that is in use; 0 fails at once'
            cand --systemd 'For systemd'
            cand --cron 'For cron'
            cand --launchd 'For launchd'
            cand --install 'Install it'
            cand --json 'Print JSON; errors become one JSON object on standard error'
            cand -q 'Print only what was asked for and errors'
            cand --quiet 'Print only what was asked for and errors'
            cand -v 'Print more (can be repeated)'
            cand --verbose 'Print more (can be repeated)'
            cand -h 'Print help (see more with ''--help'')'
            cand --help 'Print help (see more with ''--help'')'
        }
        &'dsync;verify'= {
            cand --remote 'Check this remote instead of the store'
            cand -C 'Work as if started in DIR'
            cand --store 'Use the store in DIR, not the one in or above the working directory [env: DSYNC_STORE]'
            cand --color 'Colour the text'
            cand --wait 'Wait at most so long for a store that is in use; 0 fails at once'
            cand --deep 'Also read all content and build every state anew'
            cand --json 'Print JSON; errors become one JSON object on standard error'
            cand -q 'Print only what was asked for and errors'
            cand --quiet 'Print only what was asked for and errors'
            cand -v 'Print more (can be repeated)'
            cand --verbose 'Print more (can be repeated)'
            cand -h 'Print help (see more with ''--help'')'
            cand --help 'Print help (see more with ''--help'')'
        }
        &'dsync;gc'= {
            cand -C 'Work as if started in DIR'
            cand --store 'Use the store in DIR, not the one in or above the working directory [env: DSYNC_STORE]'
            cand --color 'Colour the text'
            cand --wait 'Wait at most so long for a store that is in use; 0 fails at once'
            cand --dry-run 'Tell what would happen and change nothing'
            cand --json 'Print JSON; errors become one JSON object on standard error'
            cand -q 'Print only what was asked for and errors'
            cand --quiet 'Print only what was asked for and errors'
            cand -v 'Print more (can be repeated)'
            cand --verbose 'Print more (can be repeated)'
            cand -h 'Print help (see more with ''--help'')'
            cand --help 'Print help (see more with ''--help'')'
        }
        &'dsync;roll'= {
            cand -C 'Work as if started in DIR'
            cand --store 'Use the store in DIR, not the one in or above the working directory [env: DSYNC_STORE]'
            cand --color 'Colour the text'
            cand --wait 'Wait at most so long for a store that is in use; 0 fails at once'
            cand --dry-run 'Tell what would happen and change nothing'
            cand --json 'Print JSON; errors become one JSON object on standard error'
            cand -q 'Print only what was asked for and errors'
            cand --quiet 'Print only what was asked for and errors'
            cand -v 'Print more (can be repeated)'
            cand --verbose 'Print more (can be repeated)'
            cand -h 'Print help (see more with ''--help'')'
            cand --help 'Print help (see more with ''--help'')'
        }
        &'dsync;systems'= {
            cand -C 'Work as if started in DIR'
            cand --store 'Use the store in DIR, not the one in or above the working directory [env: DSYNC_STORE]'
            cand --color 'Colour the text'
            cand --wait 'Wait at most so long for a store that is in use; 0 fails at once'
            cand --json 'Print JSON; errors become one JSON object on standard error'
            cand -q 'Print only what was asked for and errors'
            cand --quiet 'Print only what was asked for and errors'
            cand -v 'Print more (can be repeated)'
            cand --verbose 'Print more (can be repeated)'
            cand -h 'Print help (see more with ''--help'')'
            cand --help 'Print help (see more with ''--help'')'
            cand forget 'Stop waiting for a system that will not come back'
            cand help 'Print this message or the help of the given subcommand(s)'
        }
        &'dsync;systems;forget'= {
            cand -C 'Work as if started in DIR'
            cand --store 'Use the store in DIR, not the one in or above the working directory [env: DSYNC_STORE]'
            cand --color 'Colour the text'
            cand --wait 'Wait at most so long for a store that is in use; 0 fails at once'
            cand --dry-run 'Tell what would happen and change nothing'
            cand --json 'Print JSON; errors become one JSON object on standard error'
            cand -q 'Print only what was asked for and errors'
            cand --quiet 'Print only what was asked for and errors'
            cand -v 'Print more (can be repeated)'
            cand --verbose 'Print more (can be repeated)'
            cand -h 'Print help (see more with ''--help'')'
            cand --help 'Print help (see more with ''--help'')'
        }
        &'dsync;systems;help'= {
            cand forget 'Stop waiting for a system that will not come back'
            cand help 'Print this message or the help of the given subcommand(s)'
        }
        &'dsync;systems;help;forget'= {
        }
        &'dsync;systems;help;help'= {
        }
        &'dsync;serve'= {
            cand --listen 'Listen at this address (not built yet)'
            cand -C 'Work as if started in DIR'
            cand --store 'Use the store in DIR, not the one in or above the working directory [env: DSYNC_STORE]'
            cand --color 'Colour the text'
            cand --wait 'Wait at most so long for a store that is in use; 0 fails at once'
            cand --stdio 'Speak over standard input and output'
            cand --json 'Print JSON; errors become one JSON object on standard error'
            cand -q 'Print only what was asked for and errors'
            cand --quiet 'Print only what was asked for and errors'
            cand -v 'Print more (can be repeated)'
            cand --verbose 'Print more (can be repeated)'
            cand -h 'Print help (see more with ''--help'')'
            cand --help 'Print help (see more with ''--help'')'
        }
        &'dsync;manager'= {
            cand -C 'Work as if started in DIR'
            cand --store 'Use the store in DIR, not the one in or above the working directory [env: DSYNC_STORE]'
            cand --color 'Colour the text'
            cand --wait 'Wait at most so long for a store that is in use; 0 fails at once'
            cand --json 'Print JSON; errors become one JSON object on standard error'
            cand -q 'Print only what was asked for and errors'
            cand --quiet 'Print only what was asked for and errors'
            cand -v 'Print more (can be repeated)'
            cand --verbose 'Print more (can be repeated)'
            cand -h 'Print help (see more with ''--help'')'
            cand --help 'Print help (see more with ''--help'')'
        }
        &'dsync;completions'= {
            cand -C 'Work as if started in DIR'
            cand --store 'Use the store in DIR, not the one in or above the working directory [env: DSYNC_STORE]'
            cand --color 'Colour the text'
            cand --wait 'Wait at most so long for a store that is in use; 0 fails at once'
            cand --json 'Print JSON; errors become one JSON object on standard error'
            cand -q 'Print only what was asked for and errors'
            cand --quiet 'Print only what was asked for and errors'
            cand -v 'Print more (can be repeated)'
            cand --verbose 'Print more (can be repeated)'
            cand -h 'Print help (see more with ''--help'')'
            cand --help 'Print help (see more with ''--help'')'
        }
        &'dsync;man'= {
            cand -C 'Work as if started in DIR'
            cand --store 'Use the store in DIR, not the one in or above the working directory [env: DSYNC_STORE]'
            cand --color 'Colour the text'
            cand --wait 'Wait at most so long for a store that is in use; 0 fails at once'
            cand --dry-run 'Tell what would happen and change nothing'
            cand --json 'Print JSON; errors become one JSON object on standard error'
            cand -q 'Print only what was asked for and errors'
            cand --quiet 'Print only what was asked for and errors'
            cand -v 'Print more (can be repeated)'
            cand --verbose 'Print more (can be repeated)'
            cand -h 'Print help (see more with ''--help'')'
            cand --help 'Print help (see more with ''--help'')'
        }
        &'dsync;demo'= {
            cand -C 'Work as if started in DIR'
            cand --store 'Use the store in DIR, not the one in or above the working directory [env: DSYNC_STORE]'
            cand --color 'Colour the text'
            cand --wait 'Wait at most so long for a store that is in use; 0 fails at once'
            cand --dry-run 'Tell what would happen and change nothing'
            cand --json 'Print JSON; errors become one JSON object on standard error'
            cand -q 'Print only what was asked for and errors'
            cand --quiet 'Print only what was asked for and errors'
            cand -v 'Print more (can be repeated)'
            cand --verbose 'Print more (can be repeated)'
            cand -h 'Print help (see more with ''--help'')'
            cand --help 'Print help (see more with ''--help'')'
        }
        &'dsync;help'= {
            cand init 'Make a store in a folder'
            cand clone 'Start a new system from a remote'
            cand add-source 'Bind a file or folder as a source'
            cand remove-source 'Unbind a source; its file and the records stay'
            cand sources 'List the sources'
            cand collections 'List the collections, or set what one does about conflicts'
            cand columns 'List or change the columns of a collection of rows'
            cand formats 'List the formats, or describe one'
            cand remote 'Make, join, list and forget remotes'
            cand key 'Show and change who can open a remote'
            cand sync 'Bring sources, store and remotes in step'
            cand snapshot 'Read the sources and record what changed, no more'
            cand push 'Record a snapshot and send what remotes lack'
            cand fetch 'Get what remotes have; sources stay as they are'
            cand pull 'Fetch, merge and write the sources'
            cand apply 'Write the current state into the sources'
            cand status 'Tell how sources, collections and remotes stand'
            cand diff 'Show what a sync would do, or what differs between two states'
            cand log 'Show the snapshots, newest first'
            cand show 'Show what a snapshot changed'
            cand cat 'Show records'
            cand conflicts 'List the open conflicts'
            cand resolve 'Decide a conflict'
            cand undo 'Take back an operation; sources are brought back too'
            cand ops 'List what was done with this store, newest first'
            cand restore 'Bring back the state of a snapshot, in the store and the sources'
            cand convert 'Convert a file or folder to another format; no store is needed'
            cand pack 'Write changes into a file, for mail and USB sticks'
            cand unpack 'Take in a file made by `dsync pack`'
            cand watch 'Sync when sources or remotes change (not built yet)'
            cand schedule 'Print or install a timer for unattended syncs (not built yet)'
            cand verify 'Check every object, root and reference'
            cand gc 'Remove what nothing needs any more and fold packs together'
            cand roll 'Fold the packs on a remote'
            cand systems 'List who shares a remote with this system, and when last seen'
            cand serve 'Let a peer exchange with the store'
            cand manager 'Manage accounts and groups of systems (not built yet)'
            cand completions 'Print the completion script for a shell'
            cand man 'Print the manual page, or write the pages of all commands'
            cand demo 'Build two systems in a temporary place and sync them, step by step'
            cand help 'Print this message or the help of the given subcommand(s)'
        }
        &'dsync;help;init'= {
        }
        &'dsync;help;clone'= {
        }
        &'dsync;help;add-source'= {
        }
        &'dsync;help;remove-source'= {
        }
        &'dsync;help;sources'= {
        }
        &'dsync;help;collections'= {
            cand set 'Set what a collection does where two systems wrote one field'
        }
        &'dsync;help;collections;set'= {
        }
        &'dsync;help;columns'= {
        }
        &'dsync;help;formats'= {
        }
        &'dsync;help;remote'= {
            cand add 'Make a remote, or join one that is there'
            cand list 'List the remotes'
            cand remove 'Forget a remote; what lies there stays'
        }
        &'dsync;help;remote;add'= {
        }
        &'dsync;help;remote;list'= {
        }
        &'dsync;help;remote;remove'= {
        }
        &'dsync;help;key'= {
            cand show 'List the keys and passphrases that open a remote'
            cand add 'Let one more key or passphrase open a remote'
            cand remove 'Take a key or passphrase away from a remote'
        }
        &'dsync;help;key;show'= {
        }
        &'dsync;help;key;add'= {
        }
        &'dsync;help;key;remove'= {
        }
        &'dsync;help;sync'= {
        }
        &'dsync;help;snapshot'= {
        }
        &'dsync;help;push'= {
        }
        &'dsync;help;fetch'= {
        }
        &'dsync;help;pull'= {
        }
        &'dsync;help;apply'= {
        }
        &'dsync;help;status'= {
        }
        &'dsync;help;diff'= {
        }
        &'dsync;help;log'= {
        }
        &'dsync;help;show'= {
        }
        &'dsync;help;cat'= {
        }
        &'dsync;help;conflicts'= {
        }
        &'dsync;help;resolve'= {
        }
        &'dsync;help;undo'= {
        }
        &'dsync;help;ops'= {
        }
        &'dsync;help;restore'= {
        }
        &'dsync;help;convert'= {
        }
        &'dsync;help;pack'= {
        }
        &'dsync;help;unpack'= {
        }
        &'dsync;help;watch'= {
        }
        &'dsync;help;schedule'= {
        }
        &'dsync;help;verify'= {
        }
        &'dsync;help;gc'= {
        }
        &'dsync;help;roll'= {
        }
        &'dsync;help;systems'= {
            cand forget 'Stop waiting for a system that will not come back'
        }
        &'dsync;help;systems;forget'= {
        }
        &'dsync;help;serve'= {
        }
        &'dsync;help;manager'= {
        }
        &'dsync;help;completions'= {
        }
        &'dsync;help;man'= {
        }
        &'dsync;help;demo'= {
        }
        &'dsync;help;help'= {
        }
    ]
    $completions[$command]
}
