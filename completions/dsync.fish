# Print an optspec for argparse to handle cmd's options that are independent of any subcommand.
function __fish_dsync_global_optspecs
    string join \n C= store= json q/quiet v/verbose color= wait= h/help V/version
end

function __fish_dsync_needs_command
    # Figure out if the current invocation already has a command.
    set -l cmd (commandline -opc)
    set -e cmd[1]
    argparse -s (__fish_dsync_global_optspecs) -- $cmd 2>/dev/null
    or return
    if set -q argv[1]
        # Also print the command, so this can be used to figure out what it is.
        echo $argv[1]
        return 1
    end
    return 0
end

function __fish_dsync_using_subcommand
    set -l cmd (__fish_dsync_needs_command)
    test -z "$cmd"
    and return 1
    contains -- $cmd[1] $argv
end

complete -c dsync -n "__fish_dsync_needs_command" -s C -d 'Work as if started in DIR' -r -F
complete -c dsync -n "__fish_dsync_needs_command" -l store -d 'Use the store in DIR, not the one in or above the working directory [env: DSYNC_STORE]' -r -F
complete -c dsync -n "__fish_dsync_needs_command" -l color -d 'Colour the text' -r -f -a "auto\t'On a terminal, unless `NO_COLOR` is set'
always\t'Also into files and pipes'
never\t'Not at all'"
complete -c dsync -n "__fish_dsync_needs_command" -l wait -d 'Wait at most so long for a store that is in use; 0 fails at once' -r
complete -c dsync -n "__fish_dsync_needs_command" -l json -d 'Print JSON; errors become one JSON object on standard error'
complete -c dsync -n "__fish_dsync_needs_command" -s q -l quiet -d 'Print only what was asked for and errors'
complete -c dsync -n "__fish_dsync_needs_command" -s v -l verbose -d 'Print more (can be repeated)'
complete -c dsync -n "__fish_dsync_needs_command" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c dsync -n "__fish_dsync_needs_command" -s V -l version -d 'Print version'
complete -c dsync -n "__fish_dsync_needs_command" -f -a "init" -d 'Make a store in a folder'
complete -c dsync -n "__fish_dsync_needs_command" -f -a "clone" -d 'Start a new system from a remote'
complete -c dsync -n "__fish_dsync_needs_command" -f -a "add-source" -d 'Bind a file or folder as a source'
complete -c dsync -n "__fish_dsync_needs_command" -f -a "remove-source" -d 'Unbind a source; its file and the records stay'
complete -c dsync -n "__fish_dsync_needs_command" -f -a "sources" -d 'List the sources'
complete -c dsync -n "__fish_dsync_needs_command" -f -a "collections" -d 'List the collections, or set what one does about conflicts'
complete -c dsync -n "__fish_dsync_needs_command" -f -a "columns" -d 'List or change the columns of a collection of rows'
complete -c dsync -n "__fish_dsync_needs_command" -f -a "formats" -d 'List the formats, or describe one'
complete -c dsync -n "__fish_dsync_needs_command" -f -a "remote" -d 'Make, join, list and forget remotes'
complete -c dsync -n "__fish_dsync_needs_command" -f -a "key" -d 'Show and change who can open a remote'
complete -c dsync -n "__fish_dsync_needs_command" -f -a "sync" -d 'Bring sources, store and remotes in step'
complete -c dsync -n "__fish_dsync_needs_command" -f -a "snapshot" -d 'Read the sources and record what changed, no more'
complete -c dsync -n "__fish_dsync_needs_command" -f -a "push" -d 'Record a snapshot and send what remotes lack'
complete -c dsync -n "__fish_dsync_needs_command" -f -a "fetch" -d 'Get what remotes have; sources stay as they are'
complete -c dsync -n "__fish_dsync_needs_command" -f -a "pull" -d 'Fetch, merge and write the sources'
complete -c dsync -n "__fish_dsync_needs_command" -f -a "apply" -d 'Write the current state into the sources'
complete -c dsync -n "__fish_dsync_needs_command" -f -a "status" -d 'Tell how sources, collections and remotes stand'
complete -c dsync -n "__fish_dsync_needs_command" -f -a "diff" -d 'Show what a sync would do, or what differs between two states'
complete -c dsync -n "__fish_dsync_needs_command" -f -a "log" -d 'Show the snapshots, newest first'
complete -c dsync -n "__fish_dsync_needs_command" -f -a "show" -d 'Show what a snapshot changed'
complete -c dsync -n "__fish_dsync_needs_command" -f -a "cat" -d 'Show records'
complete -c dsync -n "__fish_dsync_needs_command" -f -a "conflicts" -d 'List the open conflicts'
complete -c dsync -n "__fish_dsync_needs_command" -f -a "resolve" -d 'Decide a conflict'
complete -c dsync -n "__fish_dsync_needs_command" -f -a "undo" -d 'Take back an operation; sources are brought back too'
complete -c dsync -n "__fish_dsync_needs_command" -f -a "ops" -d 'List what was done with this store, newest first'
complete -c dsync -n "__fish_dsync_needs_command" -f -a "restore" -d 'Bring back the state of a snapshot, in the store and the sources'
complete -c dsync -n "__fish_dsync_needs_command" -f -a "convert" -d 'Convert a file or folder to another format; no store is needed'
complete -c dsync -n "__fish_dsync_needs_command" -f -a "pack" -d 'Write changes into a file, for mail and USB sticks'
complete -c dsync -n "__fish_dsync_needs_command" -f -a "unpack" -d 'Take in a file made by `dsync pack`'
complete -c dsync -n "__fish_dsync_needs_command" -f -a "watch" -d 'Sync when sources or remotes change (not built yet)'
complete -c dsync -n "__fish_dsync_needs_command" -f -a "schedule" -d 'Print or install a timer for unattended syncs (not built yet)'
complete -c dsync -n "__fish_dsync_needs_command" -f -a "verify" -d 'Check every object, root and reference'
complete -c dsync -n "__fish_dsync_needs_command" -f -a "gc" -d 'Remove what nothing needs any more and fold packs together'
complete -c dsync -n "__fish_dsync_needs_command" -f -a "roll" -d 'Fold the packs on a remote'
complete -c dsync -n "__fish_dsync_needs_command" -f -a "systems" -d 'List who shares a remote with this system, and when last seen'
complete -c dsync -n "__fish_dsync_needs_command" -f -a "serve" -d 'Let a peer exchange with the store'
complete -c dsync -n "__fish_dsync_needs_command" -f -a "manager" -d 'Manage accounts and groups of systems (not built yet)'
complete -c dsync -n "__fish_dsync_needs_command" -f -a "completions" -d 'Print the completion script for a shell'
complete -c dsync -n "__fish_dsync_needs_command" -f -a "man" -d 'Print the manual page, or write the pages of all commands'
complete -c dsync -n "__fish_dsync_needs_command" -f -a "demo" -d 'Build two systems in a temporary place and sync them, step by step'
complete -c dsync -n "__fish_dsync_needs_command" -f -a "help" -d 'Print this message or the help of the given subcommand(s)'
complete -c dsync -n "__fish_dsync_using_subcommand init" -l name -d 'The name by which other systems know this one [default: the name of the folder]' -r
complete -c dsync -n "__fish_dsync_using_subcommand init" -s C -d 'Work as if started in DIR' -r -F
complete -c dsync -n "__fish_dsync_using_subcommand init" -l store -d 'Use the store in DIR, not the one in or above the working directory [env: DSYNC_STORE]' -r -F
complete -c dsync -n "__fish_dsync_using_subcommand init" -l color -d 'Colour the text' -r -f -a "auto\t'On a terminal, unless `NO_COLOR` is set'
always\t'Also into files and pipes'
never\t'Not at all'"
complete -c dsync -n "__fish_dsync_using_subcommand init" -l wait -d 'Wait at most so long for a store that is in use; 0 fails at once' -r
complete -c dsync -n "__fish_dsync_using_subcommand init" -l dry-run -d 'Tell what would happen and change nothing'
complete -c dsync -n "__fish_dsync_using_subcommand init" -l json -d 'Print JSON; errors become one JSON object on standard error'
complete -c dsync -n "__fish_dsync_using_subcommand init" -s q -l quiet -d 'Print only what was asked for and errors'
complete -c dsync -n "__fish_dsync_using_subcommand init" -s v -l verbose -d 'Print more (can be repeated)'
complete -c dsync -n "__fish_dsync_using_subcommand init" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c dsync -n "__fish_dsync_using_subcommand clone" -l name -d 'The name by which other systems know this one [default: the name of the folder]' -r
complete -c dsync -n "__fish_dsync_using_subcommand clone" -l key-file -d 'Read the key from this file (an age identity or an SSH key)' -r -F
complete -c dsync -n "__fish_dsync_using_subcommand clone" -l passphrase-file -d 'Read the passphrase from this file' -r -F
complete -c dsync -n "__fish_dsync_using_subcommand clone" -l password-file -d 'Read the password of the user in the URL from this file' -r -F
complete -c dsync -n "__fish_dsync_using_subcommand clone" -l token-file -d 'Read a bearer token from this file (HTTP)' -r -F
complete -c dsync -n "__fish_dsync_using_subcommand clone" -l ca-file -d 'Trust the certificates in this PEM file instead of the system\'s (HTTP, S3)' -r -F
complete -c dsync -n "__fish_dsync_using_subcommand clone" -l limit-rate -d 'Send and receive at most so many bytes in a second' -r
complete -c dsync -n "__fish_dsync_using_subcommand clone" -l ssh-command -d 'Connect to a peer by this command line instead of `ssh` [env: DSYNC_SSH_COMMAND]' -r
complete -c dsync -n "__fish_dsync_using_subcommand clone" -l peer-program -d 'What dsync is called on the machine of a peer, if not `dsync`' -r
complete -c dsync -n "__fish_dsync_using_subcommand clone" -s C -d 'Work as if started in DIR' -r -F
complete -c dsync -n "__fish_dsync_using_subcommand clone" -l store -d 'Use the store in DIR, not the one in or above the working directory [env: DSYNC_STORE]' -r -F
complete -c dsync -n "__fish_dsync_using_subcommand clone" -l color -d 'Colour the text' -r -f -a "auto\t'On a terminal, unless `NO_COLOR` is set'
always\t'Also into files and pipes'
never\t'Not at all'"
complete -c dsync -n "__fish_dsync_using_subcommand clone" -l wait -d 'Wait at most so long for a store that is in use; 0 fails at once' -r
complete -c dsync -n "__fish_dsync_using_subcommand clone" -l accept-new -d 'Accept the key of a host that was never seen (SFTP, peers)'
complete -c dsync -n "__fish_dsync_using_subcommand clone" -l dry-run -d 'Tell what would happen and change nothing'
complete -c dsync -n "__fish_dsync_using_subcommand clone" -l json -d 'Print JSON; errors become one JSON object on standard error'
complete -c dsync -n "__fish_dsync_using_subcommand clone" -s q -l quiet -d 'Print only what was asked for and errors'
complete -c dsync -n "__fish_dsync_using_subcommand clone" -s v -l verbose -d 'Print more (can be repeated)'
complete -c dsync -n "__fish_dsync_using_subcommand clone" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c dsync -n "__fish_dsync_using_subcommand add-source" -l name -d 'The source\'s name [default: from LOCATION]' -r
complete -c dsync -n "__fish_dsync_using_subcommand add-source" -s c -l collection -d 'The collection that it feeds [default: the kind of its records]' -r
complete -c dsync -n "__fish_dsync_using_subcommand add-source" -l format -d 'The format, one of `dsync formats` [default: detected]' -r
complete -c dsync -n "__fish_dsync_using_subcommand add-source" -l key -d 'The columns that identify a row' -r
complete -c dsync -n "__fish_dsync_using_subcommand add-source" -l map -d 'A mapping file that says which column is which field' -r -F
complete -c dsync -n "__fish_dsync_using_subcommand add-source" -l encoding -d 'The encoding of a CSV file, such as windows-1250 [default: as its bytes say]' -r
complete -c dsync -n "__fish_dsync_using_subcommand add-source" -l filter -d 'Only records that match, such as \'country = "DE" and price > 10\'' -r
complete -c dsync -n "__fish_dsync_using_subcommand add-source" -l fields -d 'Only these fields, such as name,phones,emails' -r
complete -c dsync -n "__fish_dsync_using_subcommand add-source" -l prefer -d 'While a field is in conflict, show the value of this system, or the newest [default: as the collection]' -r
complete -c dsync -n "__fish_dsync_using_subcommand add-source" -l direction -d 'Which way changes go [default: both]' -r -f -a "both\t'Read and write the source'
in\t'Read it only'
out\t'Write it only'"
complete -c dsync -n "__fish_dsync_using_subcommand add-source" -s C -d 'Work as if started in DIR' -r -F
complete -c dsync -n "__fish_dsync_using_subcommand add-source" -l store -d 'Use the store in DIR, not the one in or above the working directory [env: DSYNC_STORE]' -r -F
complete -c dsync -n "__fish_dsync_using_subcommand add-source" -l color -d 'Colour the text' -r -f -a "auto\t'On a terminal, unless `NO_COLOR` is set'
always\t'Also into files and pipes'
never\t'Not at all'"
complete -c dsync -n "__fish_dsync_using_subcommand add-source" -l wait -d 'Wait at most so long for a store that is in use; 0 fails at once' -r
complete -c dsync -n "__fish_dsync_using_subcommand add-source" -l create -d 'Accept a location that does not exist; the first sync makes it'
complete -c dsync -n "__fish_dsync_using_subcommand add-source" -l dry-run -d 'Tell what would happen and change nothing'
complete -c dsync -n "__fish_dsync_using_subcommand add-source" -l json -d 'Print JSON; errors become one JSON object on standard error'
complete -c dsync -n "__fish_dsync_using_subcommand add-source" -s q -l quiet -d 'Print only what was asked for and errors'
complete -c dsync -n "__fish_dsync_using_subcommand add-source" -s v -l verbose -d 'Print more (can be repeated)'
complete -c dsync -n "__fish_dsync_using_subcommand add-source" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c dsync -n "__fish_dsync_using_subcommand remove-source" -s C -d 'Work as if started in DIR' -r -F
complete -c dsync -n "__fish_dsync_using_subcommand remove-source" -l store -d 'Use the store in DIR, not the one in or above the working directory [env: DSYNC_STORE]' -r -F
complete -c dsync -n "__fish_dsync_using_subcommand remove-source" -l color -d 'Colour the text' -r -f -a "auto\t'On a terminal, unless `NO_COLOR` is set'
always\t'Also into files and pipes'
never\t'Not at all'"
complete -c dsync -n "__fish_dsync_using_subcommand remove-source" -l wait -d 'Wait at most so long for a store that is in use; 0 fails at once' -r
complete -c dsync -n "__fish_dsync_using_subcommand remove-source" -l dry-run -d 'Tell what would happen and change nothing'
complete -c dsync -n "__fish_dsync_using_subcommand remove-source" -l json -d 'Print JSON; errors become one JSON object on standard error'
complete -c dsync -n "__fish_dsync_using_subcommand remove-source" -s q -l quiet -d 'Print only what was asked for and errors'
complete -c dsync -n "__fish_dsync_using_subcommand remove-source" -s v -l verbose -d 'Print more (can be repeated)'
complete -c dsync -n "__fish_dsync_using_subcommand remove-source" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c dsync -n "__fish_dsync_using_subcommand sources" -s C -d 'Work as if started in DIR' -r -F
complete -c dsync -n "__fish_dsync_using_subcommand sources" -l store -d 'Use the store in DIR, not the one in or above the working directory [env: DSYNC_STORE]' -r -F
complete -c dsync -n "__fish_dsync_using_subcommand sources" -l color -d 'Colour the text' -r -f -a "auto\t'On a terminal, unless `NO_COLOR` is set'
always\t'Also into files and pipes'
never\t'Not at all'"
complete -c dsync -n "__fish_dsync_using_subcommand sources" -l wait -d 'Wait at most so long for a store that is in use; 0 fails at once' -r
complete -c dsync -n "__fish_dsync_using_subcommand sources" -l json -d 'Print JSON; errors become one JSON object on standard error'
complete -c dsync -n "__fish_dsync_using_subcommand sources" -s q -l quiet -d 'Print only what was asked for and errors'
complete -c dsync -n "__fish_dsync_using_subcommand sources" -s v -l verbose -d 'Print more (can be repeated)'
complete -c dsync -n "__fish_dsync_using_subcommand sources" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c dsync -n "__fish_dsync_using_subcommand collections; and not __fish_seen_subcommand_from set help" -s C -d 'Work as if started in DIR' -r -F
complete -c dsync -n "__fish_dsync_using_subcommand collections; and not __fish_seen_subcommand_from set help" -l store -d 'Use the store in DIR, not the one in or above the working directory [env: DSYNC_STORE]' -r -F
complete -c dsync -n "__fish_dsync_using_subcommand collections; and not __fish_seen_subcommand_from set help" -l color -d 'Colour the text' -r -f -a "auto\t'On a terminal, unless `NO_COLOR` is set'
always\t'Also into files and pipes'
never\t'Not at all'"
complete -c dsync -n "__fish_dsync_using_subcommand collections; and not __fish_seen_subcommand_from set help" -l wait -d 'Wait at most so long for a store that is in use; 0 fails at once' -r
complete -c dsync -n "__fish_dsync_using_subcommand collections; and not __fish_seen_subcommand_from set help" -l json -d 'Print JSON; errors become one JSON object on standard error'
complete -c dsync -n "__fish_dsync_using_subcommand collections; and not __fish_seen_subcommand_from set help" -s q -l quiet -d 'Print only what was asked for and errors'
complete -c dsync -n "__fish_dsync_using_subcommand collections; and not __fish_seen_subcommand_from set help" -s v -l verbose -d 'Print more (can be repeated)'
complete -c dsync -n "__fish_dsync_using_subcommand collections; and not __fish_seen_subcommand_from set help" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c dsync -n "__fish_dsync_using_subcommand collections; and not __fish_seen_subcommand_from set help" -f -a "set" -d 'Set what a collection does where two systems wrote one field'
complete -c dsync -n "__fish_dsync_using_subcommand collections; and not __fish_seen_subcommand_from set help" -f -a "help" -d 'Print this message or the help of the given subcommand(s)'
complete -c dsync -n "__fish_dsync_using_subcommand collections; and __fish_seen_subcommand_from set" -l field -d 'Only for this field and what is below it, as `dsync conflicts` prints it' -r
complete -c dsync -n "__fish_dsync_using_subcommand collections; and __fish_seen_subcommand_from set" -s C -d 'Work as if started in DIR' -r -F
complete -c dsync -n "__fish_dsync_using_subcommand collections; and __fish_seen_subcommand_from set" -l store -d 'Use the store in DIR, not the one in or above the working directory [env: DSYNC_STORE]' -r -F
complete -c dsync -n "__fish_dsync_using_subcommand collections; and __fish_seen_subcommand_from set" -l color -d 'Colour the text' -r -f -a "auto\t'On a terminal, unless `NO_COLOR` is set'
always\t'Also into files and pipes'
never\t'Not at all'"
complete -c dsync -n "__fish_dsync_using_subcommand collections; and __fish_seen_subcommand_from set" -l wait -d 'Wait at most so long for a store that is in use; 0 fails at once' -r
complete -c dsync -n "__fish_dsync_using_subcommand collections; and __fish_seen_subcommand_from set" -l dry-run -d 'Tell what would happen and change nothing'
complete -c dsync -n "__fish_dsync_using_subcommand collections; and __fish_seen_subcommand_from set" -l json -d 'Print JSON; errors become one JSON object on standard error'
complete -c dsync -n "__fish_dsync_using_subcommand collections; and __fish_seen_subcommand_from set" -s q -l quiet -d 'Print only what was asked for and errors'
complete -c dsync -n "__fish_dsync_using_subcommand collections; and __fish_seen_subcommand_from set" -s v -l verbose -d 'Print more (can be repeated)'
complete -c dsync -n "__fish_dsync_using_subcommand collections; and __fish_seen_subcommand_from set" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c dsync -n "__fish_dsync_using_subcommand collections; and __fish_seen_subcommand_from help" -f -a "set" -d 'Set what a collection does where two systems wrote one field'
complete -c dsync -n "__fish_dsync_using_subcommand collections; and __fish_seen_subcommand_from help" -f -a "help" -d 'Print this message or the help of the given subcommand(s)'
complete -c dsync -n "__fish_dsync_using_subcommand columns" -l type -d 'Widen the type of a column: integer to decimal, anything to text (can be repeated)' -r
complete -c dsync -n "__fish_dsync_using_subcommand columns" -l rename -d 'Give a column another name (can be repeated)' -r
complete -c dsync -n "__fish_dsync_using_subcommand columns" -l drop -d 'Show a column nowhere any more; its values are kept (can be repeated)' -r
complete -c dsync -n "__fish_dsync_using_subcommand columns" -l restore -d 'Show a dropped column again (can be repeated)' -r
complete -c dsync -n "__fish_dsync_using_subcommand columns" -s C -d 'Work as if started in DIR' -r -F
complete -c dsync -n "__fish_dsync_using_subcommand columns" -l store -d 'Use the store in DIR, not the one in or above the working directory [env: DSYNC_STORE]' -r -F
complete -c dsync -n "__fish_dsync_using_subcommand columns" -l color -d 'Colour the text' -r -f -a "auto\t'On a terminal, unless `NO_COLOR` is set'
always\t'Also into files and pipes'
never\t'Not at all'"
complete -c dsync -n "__fish_dsync_using_subcommand columns" -l wait -d 'Wait at most so long for a store that is in use; 0 fails at once' -r
complete -c dsync -n "__fish_dsync_using_subcommand columns" -l dry-run -d 'Tell what would happen and change nothing'
complete -c dsync -n "__fish_dsync_using_subcommand columns" -l json -d 'Print JSON; errors become one JSON object on standard error'
complete -c dsync -n "__fish_dsync_using_subcommand columns" -s q -l quiet -d 'Print only what was asked for and errors'
complete -c dsync -n "__fish_dsync_using_subcommand columns" -s v -l verbose -d 'Print more (can be repeated)'
complete -c dsync -n "__fish_dsync_using_subcommand columns" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c dsync -n "__fish_dsync_using_subcommand formats" -s C -d 'Work as if started in DIR' -r -F
complete -c dsync -n "__fish_dsync_using_subcommand formats" -l store -d 'Use the store in DIR, not the one in or above the working directory [env: DSYNC_STORE]' -r -F
complete -c dsync -n "__fish_dsync_using_subcommand formats" -l color -d 'Colour the text' -r -f -a "auto\t'On a terminal, unless `NO_COLOR` is set'
always\t'Also into files and pipes'
never\t'Not at all'"
complete -c dsync -n "__fish_dsync_using_subcommand formats" -l wait -d 'Wait at most so long for a store that is in use; 0 fails at once' -r
complete -c dsync -n "__fish_dsync_using_subcommand formats" -l json -d 'Print JSON; errors become one JSON object on standard error'
complete -c dsync -n "__fish_dsync_using_subcommand formats" -s q -l quiet -d 'Print only what was asked for and errors'
complete -c dsync -n "__fish_dsync_using_subcommand formats" -s v -l verbose -d 'Print more (can be repeated)'
complete -c dsync -n "__fish_dsync_using_subcommand formats" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c dsync -n "__fish_dsync_using_subcommand remote; and not __fish_seen_subcommand_from add list remove help" -s C -d 'Work as if started in DIR' -r -F
complete -c dsync -n "__fish_dsync_using_subcommand remote; and not __fish_seen_subcommand_from add list remove help" -l store -d 'Use the store in DIR, not the one in or above the working directory [env: DSYNC_STORE]' -r -F
complete -c dsync -n "__fish_dsync_using_subcommand remote; and not __fish_seen_subcommand_from add list remove help" -l color -d 'Colour the text' -r -f -a "auto\t'On a terminal, unless `NO_COLOR` is set'
always\t'Also into files and pipes'
never\t'Not at all'"
complete -c dsync -n "__fish_dsync_using_subcommand remote; and not __fish_seen_subcommand_from add list remove help" -l wait -d 'Wait at most so long for a store that is in use; 0 fails at once' -r
complete -c dsync -n "__fish_dsync_using_subcommand remote; and not __fish_seen_subcommand_from add list remove help" -l json -d 'Print JSON; errors become one JSON object on standard error'
complete -c dsync -n "__fish_dsync_using_subcommand remote; and not __fish_seen_subcommand_from add list remove help" -s q -l quiet -d 'Print only what was asked for and errors'
complete -c dsync -n "__fish_dsync_using_subcommand remote; and not __fish_seen_subcommand_from add list remove help" -s v -l verbose -d 'Print more (can be repeated)'
complete -c dsync -n "__fish_dsync_using_subcommand remote; and not __fish_seen_subcommand_from add list remove help" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c dsync -n "__fish_dsync_using_subcommand remote; and not __fish_seen_subcommand_from add list remove help" -f -a "add" -d 'Make a remote, or join one that is there'
complete -c dsync -n "__fish_dsync_using_subcommand remote; and not __fish_seen_subcommand_from add list remove help" -f -a "list" -d 'List the remotes'
complete -c dsync -n "__fish_dsync_using_subcommand remote; and not __fish_seen_subcommand_from add list remove help" -f -a "remove" -d 'Forget a remote; what lies there stays'
complete -c dsync -n "__fish_dsync_using_subcommand remote; and not __fish_seen_subcommand_from add list remove help" -f -a "help" -d 'Print this message or the help of the given subcommand(s)'
complete -c dsync -n "__fish_dsync_using_subcommand remote; and __fish_seen_subcommand_from add" -l key-file -d 'Read the key from this file (an age identity or an SSH key)' -r -F
complete -c dsync -n "__fish_dsync_using_subcommand remote; and __fish_seen_subcommand_from add" -l passphrase-file -d 'Read the passphrase from this file' -r -F
complete -c dsync -n "__fish_dsync_using_subcommand remote; and __fish_seen_subcommand_from add" -l password-file -d 'Read the password of the user in the URL from this file' -r -F
complete -c dsync -n "__fish_dsync_using_subcommand remote; and __fish_seen_subcommand_from add" -l token-file -d 'Read a bearer token from this file (HTTP)' -r -F
complete -c dsync -n "__fish_dsync_using_subcommand remote; and __fish_seen_subcommand_from add" -l ca-file -d 'Trust the certificates in this PEM file instead of the system\'s (HTTP, S3)' -r -F
complete -c dsync -n "__fish_dsync_using_subcommand remote; and __fish_seen_subcommand_from add" -l limit-rate -d 'Send and receive at most so many bytes in a second' -r
complete -c dsync -n "__fish_dsync_using_subcommand remote; and __fish_seen_subcommand_from add" -l ssh-command -d 'Connect to a peer by this command line instead of `ssh` [env: DSYNC_SSH_COMMAND]' -r
complete -c dsync -n "__fish_dsync_using_subcommand remote; and __fish_seen_subcommand_from add" -l peer-program -d 'What dsync is called on the machine of a peer, if not `dsync`' -r
complete -c dsync -n "__fish_dsync_using_subcommand remote; and __fish_seen_subcommand_from add" -l recipient -d 'Also let this age or SSH public key open it (can be repeated)' -r
complete -c dsync -n "__fish_dsync_using_subcommand remote; and __fish_seen_subcommand_from add" -s C -d 'Work as if started in DIR' -r -F
complete -c dsync -n "__fish_dsync_using_subcommand remote; and __fish_seen_subcommand_from add" -l store -d 'Use the store in DIR, not the one in or above the working directory [env: DSYNC_STORE]' -r -F
complete -c dsync -n "__fish_dsync_using_subcommand remote; and __fish_seen_subcommand_from add" -l color -d 'Colour the text' -r -f -a "auto\t'On a terminal, unless `NO_COLOR` is set'
always\t'Also into files and pipes'
never\t'Not at all'"
complete -c dsync -n "__fish_dsync_using_subcommand remote; and __fish_seen_subcommand_from add" -l wait -d 'Wait at most so long for a store that is in use; 0 fails at once' -r
complete -c dsync -n "__fish_dsync_using_subcommand remote; and __fish_seen_subcommand_from add" -l plain -d 'Do not seal: whoever can read the storage can read the records'
complete -c dsync -n "__fish_dsync_using_subcommand remote; and __fish_seen_subcommand_from add" -l accept-new -d 'Accept the key of a host that was never seen (SFTP, peers)'
complete -c dsync -n "__fish_dsync_using_subcommand remote; and __fish_seen_subcommand_from add" -l dry-run -d 'Tell what would happen and change nothing'
complete -c dsync -n "__fish_dsync_using_subcommand remote; and __fish_seen_subcommand_from add" -l json -d 'Print JSON; errors become one JSON object on standard error'
complete -c dsync -n "__fish_dsync_using_subcommand remote; and __fish_seen_subcommand_from add" -s q -l quiet -d 'Print only what was asked for and errors'
complete -c dsync -n "__fish_dsync_using_subcommand remote; and __fish_seen_subcommand_from add" -s v -l verbose -d 'Print more (can be repeated)'
complete -c dsync -n "__fish_dsync_using_subcommand remote; and __fish_seen_subcommand_from add" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c dsync -n "__fish_dsync_using_subcommand remote; and __fish_seen_subcommand_from list" -s C -d 'Work as if started in DIR' -r -F
complete -c dsync -n "__fish_dsync_using_subcommand remote; and __fish_seen_subcommand_from list" -l store -d 'Use the store in DIR, not the one in or above the working directory [env: DSYNC_STORE]' -r -F
complete -c dsync -n "__fish_dsync_using_subcommand remote; and __fish_seen_subcommand_from list" -l color -d 'Colour the text' -r -f -a "auto\t'On a terminal, unless `NO_COLOR` is set'
always\t'Also into files and pipes'
never\t'Not at all'"
complete -c dsync -n "__fish_dsync_using_subcommand remote; and __fish_seen_subcommand_from list" -l wait -d 'Wait at most so long for a store that is in use; 0 fails at once' -r
complete -c dsync -n "__fish_dsync_using_subcommand remote; and __fish_seen_subcommand_from list" -l json -d 'Print JSON; errors become one JSON object on standard error'
complete -c dsync -n "__fish_dsync_using_subcommand remote; and __fish_seen_subcommand_from list" -s q -l quiet -d 'Print only what was asked for and errors'
complete -c dsync -n "__fish_dsync_using_subcommand remote; and __fish_seen_subcommand_from list" -s v -l verbose -d 'Print more (can be repeated)'
complete -c dsync -n "__fish_dsync_using_subcommand remote; and __fish_seen_subcommand_from list" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c dsync -n "__fish_dsync_using_subcommand remote; and __fish_seen_subcommand_from remove" -s C -d 'Work as if started in DIR' -r -F
complete -c dsync -n "__fish_dsync_using_subcommand remote; and __fish_seen_subcommand_from remove" -l store -d 'Use the store in DIR, not the one in or above the working directory [env: DSYNC_STORE]' -r -F
complete -c dsync -n "__fish_dsync_using_subcommand remote; and __fish_seen_subcommand_from remove" -l color -d 'Colour the text' -r -f -a "auto\t'On a terminal, unless `NO_COLOR` is set'
always\t'Also into files and pipes'
never\t'Not at all'"
complete -c dsync -n "__fish_dsync_using_subcommand remote; and __fish_seen_subcommand_from remove" -l wait -d 'Wait at most so long for a store that is in use; 0 fails at once' -r
complete -c dsync -n "__fish_dsync_using_subcommand remote; and __fish_seen_subcommand_from remove" -l dry-run -d 'Tell what would happen and change nothing'
complete -c dsync -n "__fish_dsync_using_subcommand remote; and __fish_seen_subcommand_from remove" -l json -d 'Print JSON; errors become one JSON object on standard error'
complete -c dsync -n "__fish_dsync_using_subcommand remote; and __fish_seen_subcommand_from remove" -s q -l quiet -d 'Print only what was asked for and errors'
complete -c dsync -n "__fish_dsync_using_subcommand remote; and __fish_seen_subcommand_from remove" -s v -l verbose -d 'Print more (can be repeated)'
complete -c dsync -n "__fish_dsync_using_subcommand remote; and __fish_seen_subcommand_from remove" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c dsync -n "__fish_dsync_using_subcommand remote; and __fish_seen_subcommand_from help" -f -a "add" -d 'Make a remote, or join one that is there'
complete -c dsync -n "__fish_dsync_using_subcommand remote; and __fish_seen_subcommand_from help" -f -a "list" -d 'List the remotes'
complete -c dsync -n "__fish_dsync_using_subcommand remote; and __fish_seen_subcommand_from help" -f -a "remove" -d 'Forget a remote; what lies there stays'
complete -c dsync -n "__fish_dsync_using_subcommand remote; and __fish_seen_subcommand_from help" -f -a "help" -d 'Print this message or the help of the given subcommand(s)'
complete -c dsync -n "__fish_dsync_using_subcommand key; and not __fish_seen_subcommand_from show add remove help" -s C -d 'Work as if started in DIR' -r -F
complete -c dsync -n "__fish_dsync_using_subcommand key; and not __fish_seen_subcommand_from show add remove help" -l store -d 'Use the store in DIR, not the one in or above the working directory [env: DSYNC_STORE]' -r -F
complete -c dsync -n "__fish_dsync_using_subcommand key; and not __fish_seen_subcommand_from show add remove help" -l color -d 'Colour the text' -r -f -a "auto\t'On a terminal, unless `NO_COLOR` is set'
always\t'Also into files and pipes'
never\t'Not at all'"
complete -c dsync -n "__fish_dsync_using_subcommand key; and not __fish_seen_subcommand_from show add remove help" -l wait -d 'Wait at most so long for a store that is in use; 0 fails at once' -r
complete -c dsync -n "__fish_dsync_using_subcommand key; and not __fish_seen_subcommand_from show add remove help" -l json -d 'Print JSON; errors become one JSON object on standard error'
complete -c dsync -n "__fish_dsync_using_subcommand key; and not __fish_seen_subcommand_from show add remove help" -s q -l quiet -d 'Print only what was asked for and errors'
complete -c dsync -n "__fish_dsync_using_subcommand key; and not __fish_seen_subcommand_from show add remove help" -s v -l verbose -d 'Print more (can be repeated)'
complete -c dsync -n "__fish_dsync_using_subcommand key; and not __fish_seen_subcommand_from show add remove help" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c dsync -n "__fish_dsync_using_subcommand key; and not __fish_seen_subcommand_from show add remove help" -f -a "show" -d 'List the keys and passphrases that open a remote'
complete -c dsync -n "__fish_dsync_using_subcommand key; and not __fish_seen_subcommand_from show add remove help" -f -a "add" -d 'Let one more key or passphrase open a remote'
complete -c dsync -n "__fish_dsync_using_subcommand key; and not __fish_seen_subcommand_from show add remove help" -f -a "remove" -d 'Take a key or passphrase away from a remote'
complete -c dsync -n "__fish_dsync_using_subcommand key; and not __fish_seen_subcommand_from show add remove help" -f -a "help" -d 'Print this message or the help of the given subcommand(s)'
complete -c dsync -n "__fish_dsync_using_subcommand key; and __fish_seen_subcommand_from show" -s C -d 'Work as if started in DIR' -r -F
complete -c dsync -n "__fish_dsync_using_subcommand key; and __fish_seen_subcommand_from show" -l store -d 'Use the store in DIR, not the one in or above the working directory [env: DSYNC_STORE]' -r -F
complete -c dsync -n "__fish_dsync_using_subcommand key; and __fish_seen_subcommand_from show" -l color -d 'Colour the text' -r -f -a "auto\t'On a terminal, unless `NO_COLOR` is set'
always\t'Also into files and pipes'
never\t'Not at all'"
complete -c dsync -n "__fish_dsync_using_subcommand key; and __fish_seen_subcommand_from show" -l wait -d 'Wait at most so long for a store that is in use; 0 fails at once' -r
complete -c dsync -n "__fish_dsync_using_subcommand key; and __fish_seen_subcommand_from show" -l json -d 'Print JSON; errors become one JSON object on standard error'
complete -c dsync -n "__fish_dsync_using_subcommand key; and __fish_seen_subcommand_from show" -s q -l quiet -d 'Print only what was asked for and errors'
complete -c dsync -n "__fish_dsync_using_subcommand key; and __fish_seen_subcommand_from show" -s v -l verbose -d 'Print more (can be repeated)'
complete -c dsync -n "__fish_dsync_using_subcommand key; and __fish_seen_subcommand_from show" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c dsync -n "__fish_dsync_using_subcommand key; and __fish_seen_subcommand_from add" -l key-file -d 'Read the key from this file (an age identity or an SSH key)' -r -F
complete -c dsync -n "__fish_dsync_using_subcommand key; and __fish_seen_subcommand_from add" -l passphrase-file -d 'Read the passphrase from this file' -r -F
complete -c dsync -n "__fish_dsync_using_subcommand key; and __fish_seen_subcommand_from add" -l recipient -d 'An age or SSH public key (can be repeated)' -r
complete -c dsync -n "__fish_dsync_using_subcommand key; and __fish_seen_subcommand_from add" -s C -d 'Work as if started in DIR' -r -F
complete -c dsync -n "__fish_dsync_using_subcommand key; and __fish_seen_subcommand_from add" -l store -d 'Use the store in DIR, not the one in or above the working directory [env: DSYNC_STORE]' -r -F
complete -c dsync -n "__fish_dsync_using_subcommand key; and __fish_seen_subcommand_from add" -l color -d 'Colour the text' -r -f -a "auto\t'On a terminal, unless `NO_COLOR` is set'
always\t'Also into files and pipes'
never\t'Not at all'"
complete -c dsync -n "__fish_dsync_using_subcommand key; and __fish_seen_subcommand_from add" -l wait -d 'Wait at most so long for a store that is in use; 0 fails at once' -r
complete -c dsync -n "__fish_dsync_using_subcommand key; and __fish_seen_subcommand_from add" -l dry-run -d 'Tell what would happen and change nothing'
complete -c dsync -n "__fish_dsync_using_subcommand key; and __fish_seen_subcommand_from add" -l json -d 'Print JSON; errors become one JSON object on standard error'
complete -c dsync -n "__fish_dsync_using_subcommand key; and __fish_seen_subcommand_from add" -s q -l quiet -d 'Print only what was asked for and errors'
complete -c dsync -n "__fish_dsync_using_subcommand key; and __fish_seen_subcommand_from add" -s v -l verbose -d 'Print more (can be repeated)'
complete -c dsync -n "__fish_dsync_using_subcommand key; and __fish_seen_subcommand_from add" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c dsync -n "__fish_dsync_using_subcommand key; and __fish_seen_subcommand_from remove" -s C -d 'Work as if started in DIR' -r -F
complete -c dsync -n "__fish_dsync_using_subcommand key; and __fish_seen_subcommand_from remove" -l store -d 'Use the store in DIR, not the one in or above the working directory [env: DSYNC_STORE]' -r -F
complete -c dsync -n "__fish_dsync_using_subcommand key; and __fish_seen_subcommand_from remove" -l color -d 'Colour the text' -r -f -a "auto\t'On a terminal, unless `NO_COLOR` is set'
always\t'Also into files and pipes'
never\t'Not at all'"
complete -c dsync -n "__fish_dsync_using_subcommand key; and __fish_seen_subcommand_from remove" -l wait -d 'Wait at most so long for a store that is in use; 0 fails at once' -r
complete -c dsync -n "__fish_dsync_using_subcommand key; and __fish_seen_subcommand_from remove" -l dry-run -d 'Tell what would happen and change nothing'
complete -c dsync -n "__fish_dsync_using_subcommand key; and __fish_seen_subcommand_from remove" -l json -d 'Print JSON; errors become one JSON object on standard error'
complete -c dsync -n "__fish_dsync_using_subcommand key; and __fish_seen_subcommand_from remove" -s q -l quiet -d 'Print only what was asked for and errors'
complete -c dsync -n "__fish_dsync_using_subcommand key; and __fish_seen_subcommand_from remove" -s v -l verbose -d 'Print more (can be repeated)'
complete -c dsync -n "__fish_dsync_using_subcommand key; and __fish_seen_subcommand_from remove" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c dsync -n "__fish_dsync_using_subcommand key; and __fish_seen_subcommand_from help" -f -a "show" -d 'List the keys and passphrases that open a remote'
complete -c dsync -n "__fish_dsync_using_subcommand key; and __fish_seen_subcommand_from help" -f -a "add" -d 'Let one more key or passphrase open a remote'
complete -c dsync -n "__fish_dsync_using_subcommand key; and __fish_seen_subcommand_from help" -f -a "remove" -d 'Take a key or passphrase away from a remote'
complete -c dsync -n "__fish_dsync_using_subcommand key; and __fish_seen_subcommand_from help" -f -a "help" -d 'Print this message or the help of the given subcommand(s)'
complete -c dsync -n "__fish_dsync_using_subcommand sync" -l source -d 'Only this source (can be repeated) [default: all]' -r
complete -c dsync -n "__fish_dsync_using_subcommand sync" -l remote -d 'Only this remote (can be repeated) [default: all]' -r
complete -c dsync -n "__fish_dsync_using_subcommand sync" -s C -d 'Work as if started in DIR' -r -F
complete -c dsync -n "__fish_dsync_using_subcommand sync" -l store -d 'Use the store in DIR, not the one in or above the working directory [env: DSYNC_STORE]' -r -F
complete -c dsync -n "__fish_dsync_using_subcommand sync" -l color -d 'Colour the text' -r -f -a "auto\t'On a terminal, unless `NO_COLOR` is set'
always\t'Also into files and pipes'
never\t'Not at all'"
complete -c dsync -n "__fish_dsync_using_subcommand sync" -l wait -d 'Wait at most so long for a store that is in use; 0 fails at once' -r
complete -c dsync -n "__fish_dsync_using_subcommand sync" -l dry-run -d 'Tell what would happen and change nothing'
complete -c dsync -n "__fish_dsync_using_subcommand sync" -l allow-deletes -d 'Take in that most items of a source were removed'
complete -c dsync -n "__fish_dsync_using_subcommand sync" -l allow-changes -d 'Take in that one field changed in most items at once'
complete -c dsync -n "__fish_dsync_using_subcommand sync" -l allow-empty -d 'Take in that a source is empty or gone'
complete -c dsync -n "__fish_dsync_using_subcommand sync" -l accept-rollback -d 'Go on with a remote that went back behind what was seen of it'
complete -c dsync -n "__fish_dsync_using_subcommand sync" -l json -d 'Print JSON; errors become one JSON object on standard error'
complete -c dsync -n "__fish_dsync_using_subcommand sync" -s q -l quiet -d 'Print only what was asked for and errors'
complete -c dsync -n "__fish_dsync_using_subcommand sync" -s v -l verbose -d 'Print more (can be repeated)'
complete -c dsync -n "__fish_dsync_using_subcommand sync" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c dsync -n "__fish_dsync_using_subcommand snapshot" -s m -l message -d 'A message for the log' -r
complete -c dsync -n "__fish_dsync_using_subcommand snapshot" -s C -d 'Work as if started in DIR' -r -F
complete -c dsync -n "__fish_dsync_using_subcommand snapshot" -l store -d 'Use the store in DIR, not the one in or above the working directory [env: DSYNC_STORE]' -r -F
complete -c dsync -n "__fish_dsync_using_subcommand snapshot" -l color -d 'Colour the text' -r -f -a "auto\t'On a terminal, unless `NO_COLOR` is set'
always\t'Also into files and pipes'
never\t'Not at all'"
complete -c dsync -n "__fish_dsync_using_subcommand snapshot" -l wait -d 'Wait at most so long for a store that is in use; 0 fails at once' -r
complete -c dsync -n "__fish_dsync_using_subcommand snapshot" -l dry-run -d 'Tell what would happen and change nothing'
complete -c dsync -n "__fish_dsync_using_subcommand snapshot" -l allow-deletes -d 'Take in that most items of a source were removed'
complete -c dsync -n "__fish_dsync_using_subcommand snapshot" -l allow-changes -d 'Take in that one field changed in most items at once'
complete -c dsync -n "__fish_dsync_using_subcommand snapshot" -l allow-empty -d 'Take in that a source is empty or gone'
complete -c dsync -n "__fish_dsync_using_subcommand snapshot" -l accept-rollback -d 'Go on with a remote that went back behind what was seen of it'
complete -c dsync -n "__fish_dsync_using_subcommand snapshot" -l json -d 'Print JSON; errors become one JSON object on standard error'
complete -c dsync -n "__fish_dsync_using_subcommand snapshot" -s q -l quiet -d 'Print only what was asked for and errors'
complete -c dsync -n "__fish_dsync_using_subcommand snapshot" -s v -l verbose -d 'Print more (can be repeated)'
complete -c dsync -n "__fish_dsync_using_subcommand snapshot" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c dsync -n "__fish_dsync_using_subcommand push" -s C -d 'Work as if started in DIR' -r -F
complete -c dsync -n "__fish_dsync_using_subcommand push" -l store -d 'Use the store in DIR, not the one in or above the working directory [env: DSYNC_STORE]' -r -F
complete -c dsync -n "__fish_dsync_using_subcommand push" -l color -d 'Colour the text' -r -f -a "auto\t'On a terminal, unless `NO_COLOR` is set'
always\t'Also into files and pipes'
never\t'Not at all'"
complete -c dsync -n "__fish_dsync_using_subcommand push" -l wait -d 'Wait at most so long for a store that is in use; 0 fails at once' -r
complete -c dsync -n "__fish_dsync_using_subcommand push" -l dry-run -d 'Tell what would happen and change nothing'
complete -c dsync -n "__fish_dsync_using_subcommand push" -l allow-deletes -d 'Take in that most items of a source were removed'
complete -c dsync -n "__fish_dsync_using_subcommand push" -l allow-changes -d 'Take in that one field changed in most items at once'
complete -c dsync -n "__fish_dsync_using_subcommand push" -l allow-empty -d 'Take in that a source is empty or gone'
complete -c dsync -n "__fish_dsync_using_subcommand push" -l accept-rollback -d 'Go on with a remote that went back behind what was seen of it'
complete -c dsync -n "__fish_dsync_using_subcommand push" -l json -d 'Print JSON; errors become one JSON object on standard error'
complete -c dsync -n "__fish_dsync_using_subcommand push" -s q -l quiet -d 'Print only what was asked for and errors'
complete -c dsync -n "__fish_dsync_using_subcommand push" -s v -l verbose -d 'Print more (can be repeated)'
complete -c dsync -n "__fish_dsync_using_subcommand push" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c dsync -n "__fish_dsync_using_subcommand fetch" -s C -d 'Work as if started in DIR' -r -F
complete -c dsync -n "__fish_dsync_using_subcommand fetch" -l store -d 'Use the store in DIR, not the one in or above the working directory [env: DSYNC_STORE]' -r -F
complete -c dsync -n "__fish_dsync_using_subcommand fetch" -l color -d 'Colour the text' -r -f -a "auto\t'On a terminal, unless `NO_COLOR` is set'
always\t'Also into files and pipes'
never\t'Not at all'"
complete -c dsync -n "__fish_dsync_using_subcommand fetch" -l wait -d 'Wait at most so long for a store that is in use; 0 fails at once' -r
complete -c dsync -n "__fish_dsync_using_subcommand fetch" -l dry-run -d 'Tell what would happen and change nothing'
complete -c dsync -n "__fish_dsync_using_subcommand fetch" -l allow-deletes -d 'Take in that most items of a source were removed'
complete -c dsync -n "__fish_dsync_using_subcommand fetch" -l allow-changes -d 'Take in that one field changed in most items at once'
complete -c dsync -n "__fish_dsync_using_subcommand fetch" -l allow-empty -d 'Take in that a source is empty or gone'
complete -c dsync -n "__fish_dsync_using_subcommand fetch" -l accept-rollback -d 'Go on with a remote that went back behind what was seen of it'
complete -c dsync -n "__fish_dsync_using_subcommand fetch" -l json -d 'Print JSON; errors become one JSON object on standard error'
complete -c dsync -n "__fish_dsync_using_subcommand fetch" -s q -l quiet -d 'Print only what was asked for and errors'
complete -c dsync -n "__fish_dsync_using_subcommand fetch" -s v -l verbose -d 'Print more (can be repeated)'
complete -c dsync -n "__fish_dsync_using_subcommand fetch" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c dsync -n "__fish_dsync_using_subcommand pull" -s C -d 'Work as if started in DIR' -r -F
complete -c dsync -n "__fish_dsync_using_subcommand pull" -l store -d 'Use the store in DIR, not the one in or above the working directory [env: DSYNC_STORE]' -r -F
complete -c dsync -n "__fish_dsync_using_subcommand pull" -l color -d 'Colour the text' -r -f -a "auto\t'On a terminal, unless `NO_COLOR` is set'
always\t'Also into files and pipes'
never\t'Not at all'"
complete -c dsync -n "__fish_dsync_using_subcommand pull" -l wait -d 'Wait at most so long for a store that is in use; 0 fails at once' -r
complete -c dsync -n "__fish_dsync_using_subcommand pull" -l dry-run -d 'Tell what would happen and change nothing'
complete -c dsync -n "__fish_dsync_using_subcommand pull" -l allow-deletes -d 'Take in that most items of a source were removed'
complete -c dsync -n "__fish_dsync_using_subcommand pull" -l allow-changes -d 'Take in that one field changed in most items at once'
complete -c dsync -n "__fish_dsync_using_subcommand pull" -l allow-empty -d 'Take in that a source is empty or gone'
complete -c dsync -n "__fish_dsync_using_subcommand pull" -l accept-rollback -d 'Go on with a remote that went back behind what was seen of it'
complete -c dsync -n "__fish_dsync_using_subcommand pull" -l json -d 'Print JSON; errors become one JSON object on standard error'
complete -c dsync -n "__fish_dsync_using_subcommand pull" -s q -l quiet -d 'Print only what was asked for and errors'
complete -c dsync -n "__fish_dsync_using_subcommand pull" -s v -l verbose -d 'Print more (can be repeated)'
complete -c dsync -n "__fish_dsync_using_subcommand pull" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c dsync -n "__fish_dsync_using_subcommand apply" -s C -d 'Work as if started in DIR' -r -F
complete -c dsync -n "__fish_dsync_using_subcommand apply" -l store -d 'Use the store in DIR, not the one in or above the working directory [env: DSYNC_STORE]' -r -F
complete -c dsync -n "__fish_dsync_using_subcommand apply" -l color -d 'Colour the text' -r -f -a "auto\t'On a terminal, unless `NO_COLOR` is set'
always\t'Also into files and pipes'
never\t'Not at all'"
complete -c dsync -n "__fish_dsync_using_subcommand apply" -l wait -d 'Wait at most so long for a store that is in use; 0 fails at once' -r
complete -c dsync -n "__fish_dsync_using_subcommand apply" -l dry-run -d 'Tell what would happen and change nothing'
complete -c dsync -n "__fish_dsync_using_subcommand apply" -l allow-deletes -d 'Take in that most items of a source were removed'
complete -c dsync -n "__fish_dsync_using_subcommand apply" -l allow-changes -d 'Take in that one field changed in most items at once'
complete -c dsync -n "__fish_dsync_using_subcommand apply" -l allow-empty -d 'Take in that a source is empty or gone'
complete -c dsync -n "__fish_dsync_using_subcommand apply" -l accept-rollback -d 'Go on with a remote that went back behind what was seen of it'
complete -c dsync -n "__fish_dsync_using_subcommand apply" -l json -d 'Print JSON; errors become one JSON object on standard error'
complete -c dsync -n "__fish_dsync_using_subcommand apply" -s q -l quiet -d 'Print only what was asked for and errors'
complete -c dsync -n "__fish_dsync_using_subcommand apply" -s v -l verbose -d 'Print more (can be repeated)'
complete -c dsync -n "__fish_dsync_using_subcommand apply" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c dsync -n "__fish_dsync_using_subcommand status" -s C -d 'Work as if started in DIR' -r -F
complete -c dsync -n "__fish_dsync_using_subcommand status" -l store -d 'Use the store in DIR, not the one in or above the working directory [env: DSYNC_STORE]' -r -F
complete -c dsync -n "__fish_dsync_using_subcommand status" -l color -d 'Colour the text' -r -f -a "auto\t'On a terminal, unless `NO_COLOR` is set'
always\t'Also into files and pipes'
never\t'Not at all'"
complete -c dsync -n "__fish_dsync_using_subcommand status" -l wait -d 'Wait at most so long for a store that is in use; 0 fails at once' -r
complete -c dsync -n "__fish_dsync_using_subcommand status" -l json -d 'Print JSON; errors become one JSON object on standard error'
complete -c dsync -n "__fish_dsync_using_subcommand status" -s q -l quiet -d 'Print only what was asked for and errors'
complete -c dsync -n "__fish_dsync_using_subcommand status" -s v -l verbose -d 'Print more (can be repeated)'
complete -c dsync -n "__fish_dsync_using_subcommand status" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c dsync -n "__fish_dsync_using_subcommand diff" -l source -d 'Only this source' -r
complete -c dsync -n "__fish_dsync_using_subcommand diff" -s c -l collection -d 'Only this collection' -r
complete -c dsync -n "__fish_dsync_using_subcommand diff" -s C -d 'Work as if started in DIR' -r -F
complete -c dsync -n "__fish_dsync_using_subcommand diff" -l store -d 'Use the store in DIR, not the one in or above the working directory [env: DSYNC_STORE]' -r -F
complete -c dsync -n "__fish_dsync_using_subcommand diff" -l color -d 'Colour the text' -r -f -a "auto\t'On a terminal, unless `NO_COLOR` is set'
always\t'Also into files and pipes'
never\t'Not at all'"
complete -c dsync -n "__fish_dsync_using_subcommand diff" -l wait -d 'Wait at most so long for a store that is in use; 0 fails at once' -r
complete -c dsync -n "__fish_dsync_using_subcommand diff" -l stat -d 'Only how many records'
complete -c dsync -n "__fish_dsync_using_subcommand diff" -l json -d 'Print JSON; errors become one JSON object on standard error'
complete -c dsync -n "__fish_dsync_using_subcommand diff" -s q -l quiet -d 'Print only what was asked for and errors'
complete -c dsync -n "__fish_dsync_using_subcommand diff" -s v -l verbose -d 'Print more (can be repeated)'
complete -c dsync -n "__fish_dsync_using_subcommand diff" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c dsync -n "__fish_dsync_using_subcommand log" -s c -l collection -d 'Only this collection' -r
complete -c dsync -n "__fish_dsync_using_subcommand log" -s n -d 'At most so many' -r
complete -c dsync -n "__fish_dsync_using_subcommand log" -s C -d 'Work as if started in DIR' -r -F
complete -c dsync -n "__fish_dsync_using_subcommand log" -l store -d 'Use the store in DIR, not the one in or above the working directory [env: DSYNC_STORE]' -r -F
complete -c dsync -n "__fish_dsync_using_subcommand log" -l color -d 'Colour the text' -r -f -a "auto\t'On a terminal, unless `NO_COLOR` is set'
always\t'Also into files and pipes'
never\t'Not at all'"
complete -c dsync -n "__fish_dsync_using_subcommand log" -l wait -d 'Wait at most so long for a store that is in use; 0 fails at once' -r
complete -c dsync -n "__fish_dsync_using_subcommand log" -l graph -d 'Draw the lines of descent'
complete -c dsync -n "__fish_dsync_using_subcommand log" -l json -d 'Print JSON; errors become one JSON object on standard error'
complete -c dsync -n "__fish_dsync_using_subcommand log" -s q -l quiet -d 'Print only what was asked for and errors'
complete -c dsync -n "__fish_dsync_using_subcommand log" -s v -l verbose -d 'Print more (can be repeated)'
complete -c dsync -n "__fish_dsync_using_subcommand log" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c dsync -n "__fish_dsync_using_subcommand show" -s c -l collection -d 'The collection, where several exist' -r
complete -c dsync -n "__fish_dsync_using_subcommand show" -s C -d 'Work as if started in DIR' -r -F
complete -c dsync -n "__fish_dsync_using_subcommand show" -l store -d 'Use the store in DIR, not the one in or above the working directory [env: DSYNC_STORE]' -r -F
complete -c dsync -n "__fish_dsync_using_subcommand show" -l color -d 'Colour the text' -r -f -a "auto\t'On a terminal, unless `NO_COLOR` is set'
always\t'Also into files and pipes'
never\t'Not at all'"
complete -c dsync -n "__fish_dsync_using_subcommand show" -l wait -d 'Wait at most so long for a store that is in use; 0 fails at once' -r
complete -c dsync -n "__fish_dsync_using_subcommand show" -l json -d 'Print JSON; errors become one JSON object on standard error'
complete -c dsync -n "__fish_dsync_using_subcommand show" -s q -l quiet -d 'Print only what was asked for and errors'
complete -c dsync -n "__fish_dsync_using_subcommand show" -s v -l verbose -d 'Print more (can be repeated)'
complete -c dsync -n "__fish_dsync_using_subcommand show" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c dsync -n "__fish_dsync_using_subcommand cat" -s C -d 'Work as if started in DIR' -r -F
complete -c dsync -n "__fish_dsync_using_subcommand cat" -l store -d 'Use the store in DIR, not the one in or above the working directory [env: DSYNC_STORE]' -r -F
complete -c dsync -n "__fish_dsync_using_subcommand cat" -l color -d 'Colour the text' -r -f -a "auto\t'On a terminal, unless `NO_COLOR` is set'
always\t'Also into files and pipes'
never\t'Not at all'"
complete -c dsync -n "__fish_dsync_using_subcommand cat" -l wait -d 'Wait at most so long for a store that is in use; 0 fails at once' -r
complete -c dsync -n "__fish_dsync_using_subcommand cat" -l json -d 'Print JSON; errors become one JSON object on standard error'
complete -c dsync -n "__fish_dsync_using_subcommand cat" -s q -l quiet -d 'Print only what was asked for and errors'
complete -c dsync -n "__fish_dsync_using_subcommand cat" -s v -l verbose -d 'Print more (can be repeated)'
complete -c dsync -n "__fish_dsync_using_subcommand cat" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c dsync -n "__fish_dsync_using_subcommand conflicts" -s C -d 'Work as if started in DIR' -r -F
complete -c dsync -n "__fish_dsync_using_subcommand conflicts" -l store -d 'Use the store in DIR, not the one in or above the working directory [env: DSYNC_STORE]' -r -F
complete -c dsync -n "__fish_dsync_using_subcommand conflicts" -l color -d 'Colour the text' -r -f -a "auto\t'On a terminal, unless `NO_COLOR` is set'
always\t'Also into files and pipes'
never\t'Not at all'"
complete -c dsync -n "__fish_dsync_using_subcommand conflicts" -l wait -d 'Wait at most so long for a store that is in use; 0 fails at once' -r
complete -c dsync -n "__fish_dsync_using_subcommand conflicts" -l json -d 'Print JSON; errors become one JSON object on standard error'
complete -c dsync -n "__fish_dsync_using_subcommand conflicts" -s q -l quiet -d 'Print only what was asked for and errors'
complete -c dsync -n "__fish_dsync_using_subcommand conflicts" -s v -l verbose -d 'Print more (can be repeated)'
complete -c dsync -n "__fish_dsync_using_subcommand conflicts" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c dsync -n "__fish_dsync_using_subcommand resolve" -l take -d 'Take the N-th value, or `base` for the one before both' -r
complete -c dsync -n "__fish_dsync_using_subcommand resolve" -l value -d 'Take another value' -r
complete -c dsync -n "__fish_dsync_using_subcommand resolve" -l same-as -d 'Say that KEY2 is the same record' -r
complete -c dsync -n "__fish_dsync_using_subcommand resolve" -l distinct -d 'Say that KEY2 is another record' -r
complete -c dsync -n "__fish_dsync_using_subcommand resolve" -s C -d 'Work as if started in DIR' -r -F
complete -c dsync -n "__fish_dsync_using_subcommand resolve" -l store -d 'Use the store in DIR, not the one in or above the working directory [env: DSYNC_STORE]' -r -F
complete -c dsync -n "__fish_dsync_using_subcommand resolve" -l color -d 'Colour the text' -r -f -a "auto\t'On a terminal, unless `NO_COLOR` is set'
always\t'Also into files and pipes'
never\t'Not at all'"
complete -c dsync -n "__fish_dsync_using_subcommand resolve" -l wait -d 'Wait at most so long for a store that is in use; 0 fails at once' -r
complete -c dsync -n "__fish_dsync_using_subcommand resolve" -l by-policy -d 'Decide the open conflicts of the collection as its policies would show them (`dsync collections set`)'
complete -c dsync -n "__fish_dsync_using_subcommand resolve" -l dry-run -d 'Tell what would happen and change nothing'
complete -c dsync -n "__fish_dsync_using_subcommand resolve" -l json -d 'Print JSON; errors become one JSON object on standard error'
complete -c dsync -n "__fish_dsync_using_subcommand resolve" -s q -l quiet -d 'Print only what was asked for and errors'
complete -c dsync -n "__fish_dsync_using_subcommand resolve" -s v -l verbose -d 'Print more (can be repeated)'
complete -c dsync -n "__fish_dsync_using_subcommand resolve" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c dsync -n "__fish_dsync_using_subcommand undo" -s C -d 'Work as if started in DIR' -r -F
complete -c dsync -n "__fish_dsync_using_subcommand undo" -l store -d 'Use the store in DIR, not the one in or above the working directory [env: DSYNC_STORE]' -r -F
complete -c dsync -n "__fish_dsync_using_subcommand undo" -l color -d 'Colour the text' -r -f -a "auto\t'On a terminal, unless `NO_COLOR` is set'
always\t'Also into files and pipes'
never\t'Not at all'"
complete -c dsync -n "__fish_dsync_using_subcommand undo" -l wait -d 'Wait at most so long for a store that is in use; 0 fails at once' -r
complete -c dsync -n "__fish_dsync_using_subcommand undo" -l dry-run -d 'Tell what would happen and change nothing'
complete -c dsync -n "__fish_dsync_using_subcommand undo" -l allow-deletes -d 'Take in that most items of a source were removed'
complete -c dsync -n "__fish_dsync_using_subcommand undo" -l allow-changes -d 'Take in that one field changed in most items at once'
complete -c dsync -n "__fish_dsync_using_subcommand undo" -l allow-empty -d 'Take in that a source is empty or gone'
complete -c dsync -n "__fish_dsync_using_subcommand undo" -l accept-rollback -d 'Go on with a remote that went back behind what was seen of it'
complete -c dsync -n "__fish_dsync_using_subcommand undo" -l json -d 'Print JSON; errors become one JSON object on standard error'
complete -c dsync -n "__fish_dsync_using_subcommand undo" -s q -l quiet -d 'Print only what was asked for and errors'
complete -c dsync -n "__fish_dsync_using_subcommand undo" -s v -l verbose -d 'Print more (can be repeated)'
complete -c dsync -n "__fish_dsync_using_subcommand undo" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c dsync -n "__fish_dsync_using_subcommand ops" -s n -d 'At most so many' -r
complete -c dsync -n "__fish_dsync_using_subcommand ops" -s C -d 'Work as if started in DIR' -r -F
complete -c dsync -n "__fish_dsync_using_subcommand ops" -l store -d 'Use the store in DIR, not the one in or above the working directory [env: DSYNC_STORE]' -r -F
complete -c dsync -n "__fish_dsync_using_subcommand ops" -l color -d 'Colour the text' -r -f -a "auto\t'On a terminal, unless `NO_COLOR` is set'
always\t'Also into files and pipes'
never\t'Not at all'"
complete -c dsync -n "__fish_dsync_using_subcommand ops" -l wait -d 'Wait at most so long for a store that is in use; 0 fails at once' -r
complete -c dsync -n "__fish_dsync_using_subcommand ops" -l all -d 'Also what changed neither records nor the configuration; so does `-v`'
complete -c dsync -n "__fish_dsync_using_subcommand ops" -l json -d 'Print JSON; errors become one JSON object on standard error'
complete -c dsync -n "__fish_dsync_using_subcommand ops" -s q -l quiet -d 'Print only what was asked for and errors'
complete -c dsync -n "__fish_dsync_using_subcommand ops" -s v -l verbose -d 'Print more (can be repeated)'
complete -c dsync -n "__fish_dsync_using_subcommand ops" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c dsync -n "__fish_dsync_using_subcommand restore" -s c -l collection -d 'The collection, where several exist' -r
complete -c dsync -n "__fish_dsync_using_subcommand restore" -s C -d 'Work as if started in DIR' -r -F
complete -c dsync -n "__fish_dsync_using_subcommand restore" -l store -d 'Use the store in DIR, not the one in or above the working directory [env: DSYNC_STORE]' -r -F
complete -c dsync -n "__fish_dsync_using_subcommand restore" -l color -d 'Colour the text' -r -f -a "auto\t'On a terminal, unless `NO_COLOR` is set'
always\t'Also into files and pipes'
never\t'Not at all'"
complete -c dsync -n "__fish_dsync_using_subcommand restore" -l wait -d 'Wait at most so long for a store that is in use; 0 fails at once' -r
complete -c dsync -n "__fish_dsync_using_subcommand restore" -l dry-run -d 'Tell what would happen and change nothing'
complete -c dsync -n "__fish_dsync_using_subcommand restore" -l allow-deletes -d 'Take in that most items of a source were removed'
complete -c dsync -n "__fish_dsync_using_subcommand restore" -l allow-changes -d 'Take in that one field changed in most items at once'
complete -c dsync -n "__fish_dsync_using_subcommand restore" -l allow-empty -d 'Take in that a source is empty or gone'
complete -c dsync -n "__fish_dsync_using_subcommand restore" -l accept-rollback -d 'Go on with a remote that went back behind what was seen of it'
complete -c dsync -n "__fish_dsync_using_subcommand restore" -l json -d 'Print JSON; errors become one JSON object on standard error'
complete -c dsync -n "__fish_dsync_using_subcommand restore" -s q -l quiet -d 'Print only what was asked for and errors'
complete -c dsync -n "__fish_dsync_using_subcommand restore" -s v -l verbose -d 'Print more (can be repeated)'
complete -c dsync -n "__fish_dsync_using_subcommand restore" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c dsync -n "__fish_dsync_using_subcommand convert" -l from -d 'The format of IN [default: detected]' -r
complete -c dsync -n "__fish_dsync_using_subcommand convert" -l encoding -d 'The encoding of IN, such as windows-1250 [default: as its bytes say]' -r
complete -c dsync -n "__fish_dsync_using_subcommand convert" -l to -d 'The format of OUT [default: by its name, or that of what is there]' -r
complete -c dsync -n "__fish_dsync_using_subcommand convert" -s C -d 'Work as if started in DIR' -r -F
complete -c dsync -n "__fish_dsync_using_subcommand convert" -l store -d 'Use the store in DIR, not the one in or above the working directory [env: DSYNC_STORE]' -r -F
complete -c dsync -n "__fish_dsync_using_subcommand convert" -l color -d 'Colour the text' -r -f -a "auto\t'On a terminal, unless `NO_COLOR` is set'
always\t'Also into files and pipes'
never\t'Not at all'"
complete -c dsync -n "__fish_dsync_using_subcommand convert" -l wait -d 'Wait at most so long for a store that is in use; 0 fails at once' -r
complete -c dsync -n "__fish_dsync_using_subcommand convert" -l dry-run -d 'Tell what would happen and change nothing'
complete -c dsync -n "__fish_dsync_using_subcommand convert" -l json -d 'Print JSON; errors become one JSON object on standard error'
complete -c dsync -n "__fish_dsync_using_subcommand convert" -s q -l quiet -d 'Print only what was asked for and errors'
complete -c dsync -n "__fish_dsync_using_subcommand convert" -s v -l verbose -d 'Print more (can be repeated)'
complete -c dsync -n "__fish_dsync_using_subcommand convert" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c dsync -n "__fish_dsync_using_subcommand pack" -l since -d 'Only what came after this snapshot [default: everything]' -r
complete -c dsync -n "__fish_dsync_using_subcommand pack" -s c -l collection -d 'The collection of SNAP, where several exist' -r
complete -c dsync -n "__fish_dsync_using_subcommand pack" -s C -d 'Work as if started in DIR' -r -F
complete -c dsync -n "__fish_dsync_using_subcommand pack" -l store -d 'Use the store in DIR, not the one in or above the working directory [env: DSYNC_STORE]' -r -F
complete -c dsync -n "__fish_dsync_using_subcommand pack" -l color -d 'Colour the text' -r -f -a "auto\t'On a terminal, unless `NO_COLOR` is set'
always\t'Also into files and pipes'
never\t'Not at all'"
complete -c dsync -n "__fish_dsync_using_subcommand pack" -l wait -d 'Wait at most so long for a store that is in use; 0 fails at once' -r
complete -c dsync -n "__fish_dsync_using_subcommand pack" -l dry-run -d 'Tell what would happen and change nothing'
complete -c dsync -n "__fish_dsync_using_subcommand pack" -l json -d 'Print JSON; errors become one JSON object on standard error'
complete -c dsync -n "__fish_dsync_using_subcommand pack" -s q -l quiet -d 'Print only what was asked for and errors'
complete -c dsync -n "__fish_dsync_using_subcommand pack" -s v -l verbose -d 'Print more (can be repeated)'
complete -c dsync -n "__fish_dsync_using_subcommand pack" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c dsync -n "__fish_dsync_using_subcommand unpack" -s C -d 'Work as if started in DIR' -r -F
complete -c dsync -n "__fish_dsync_using_subcommand unpack" -l store -d 'Use the store in DIR, not the one in or above the working directory [env: DSYNC_STORE]' -r -F
complete -c dsync -n "__fish_dsync_using_subcommand unpack" -l color -d 'Colour the text' -r -f -a "auto\t'On a terminal, unless `NO_COLOR` is set'
always\t'Also into files and pipes'
never\t'Not at all'"
complete -c dsync -n "__fish_dsync_using_subcommand unpack" -l wait -d 'Wait at most so long for a store that is in use; 0 fails at once' -r
complete -c dsync -n "__fish_dsync_using_subcommand unpack" -l dry-run -d 'Tell what would happen and change nothing'
complete -c dsync -n "__fish_dsync_using_subcommand unpack" -l allow-deletes -d 'Take in that most items of a source were removed'
complete -c dsync -n "__fish_dsync_using_subcommand unpack" -l allow-changes -d 'Take in that one field changed in most items at once'
complete -c dsync -n "__fish_dsync_using_subcommand unpack" -l allow-empty -d 'Take in that a source is empty or gone'
complete -c dsync -n "__fish_dsync_using_subcommand unpack" -l accept-rollback -d 'Go on with a remote that went back behind what was seen of it'
complete -c dsync -n "__fish_dsync_using_subcommand unpack" -l json -d 'Print JSON; errors become one JSON object on standard error'
complete -c dsync -n "__fish_dsync_using_subcommand unpack" -s q -l quiet -d 'Print only what was asked for and errors'
complete -c dsync -n "__fish_dsync_using_subcommand unpack" -s v -l verbose -d 'Print more (can be repeated)'
complete -c dsync -n "__fish_dsync_using_subcommand unpack" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c dsync -n "__fish_dsync_using_subcommand watch" -l interval -d 'How often to look at remotes' -r
complete -c dsync -n "__fish_dsync_using_subcommand watch" -s C -d 'Work as if started in DIR' -r -F
complete -c dsync -n "__fish_dsync_using_subcommand watch" -l store -d 'Use the store in DIR, not the one in or above the working directory [env: DSYNC_STORE]' -r -F
complete -c dsync -n "__fish_dsync_using_subcommand watch" -l color -d 'Colour the text' -r -f -a "auto\t'On a terminal, unless `NO_COLOR` is set'
always\t'Also into files and pipes'
never\t'Not at all'"
complete -c dsync -n "__fish_dsync_using_subcommand watch" -l wait -d 'Wait at most so long for a store that is in use; 0 fails at once' -r
complete -c dsync -n "__fish_dsync_using_subcommand watch" -l json -d 'Print JSON; errors become one JSON object on standard error'
complete -c dsync -n "__fish_dsync_using_subcommand watch" -s q -l quiet -d 'Print only what was asked for and errors'
complete -c dsync -n "__fish_dsync_using_subcommand watch" -s v -l verbose -d 'Print more (can be repeated)'
complete -c dsync -n "__fish_dsync_using_subcommand watch" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c dsync -n "__fish_dsync_using_subcommand schedule" -l every -d 'How often' -r
complete -c dsync -n "__fish_dsync_using_subcommand schedule" -s C -d 'Work as if started in DIR' -r -F
complete -c dsync -n "__fish_dsync_using_subcommand schedule" -l store -d 'Use the store in DIR, not the one in or above the working directory [env: DSYNC_STORE]' -r -F
complete -c dsync -n "__fish_dsync_using_subcommand schedule" -l color -d 'Colour the text' -r -f -a "auto\t'On a terminal, unless `NO_COLOR` is set'
always\t'Also into files and pipes'
never\t'Not at all'"
complete -c dsync -n "__fish_dsync_using_subcommand schedule" -l wait -d 'Wait at most so long for a store that is in use; 0 fails at once' -r
complete -c dsync -n "__fish_dsync_using_subcommand schedule" -l systemd -d 'For systemd'
complete -c dsync -n "__fish_dsync_using_subcommand schedule" -l cron -d 'For cron'
complete -c dsync -n "__fish_dsync_using_subcommand schedule" -l launchd -d 'For launchd'
complete -c dsync -n "__fish_dsync_using_subcommand schedule" -l install -d 'Install it'
complete -c dsync -n "__fish_dsync_using_subcommand schedule" -l json -d 'Print JSON; errors become one JSON object on standard error'
complete -c dsync -n "__fish_dsync_using_subcommand schedule" -s q -l quiet -d 'Print only what was asked for and errors'
complete -c dsync -n "__fish_dsync_using_subcommand schedule" -s v -l verbose -d 'Print more (can be repeated)'
complete -c dsync -n "__fish_dsync_using_subcommand schedule" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c dsync -n "__fish_dsync_using_subcommand verify" -l remote -d 'Check this remote instead of the store' -r
complete -c dsync -n "__fish_dsync_using_subcommand verify" -s C -d 'Work as if started in DIR' -r -F
complete -c dsync -n "__fish_dsync_using_subcommand verify" -l store -d 'Use the store in DIR, not the one in or above the working directory [env: DSYNC_STORE]' -r -F
complete -c dsync -n "__fish_dsync_using_subcommand verify" -l color -d 'Colour the text' -r -f -a "auto\t'On a terminal, unless `NO_COLOR` is set'
always\t'Also into files and pipes'
never\t'Not at all'"
complete -c dsync -n "__fish_dsync_using_subcommand verify" -l wait -d 'Wait at most so long for a store that is in use; 0 fails at once' -r
complete -c dsync -n "__fish_dsync_using_subcommand verify" -l deep -d 'Also read all content and build every state anew'
complete -c dsync -n "__fish_dsync_using_subcommand verify" -l json -d 'Print JSON; errors become one JSON object on standard error'
complete -c dsync -n "__fish_dsync_using_subcommand verify" -s q -l quiet -d 'Print only what was asked for and errors'
complete -c dsync -n "__fish_dsync_using_subcommand verify" -s v -l verbose -d 'Print more (can be repeated)'
complete -c dsync -n "__fish_dsync_using_subcommand verify" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c dsync -n "__fish_dsync_using_subcommand gc" -s C -d 'Work as if started in DIR' -r -F
complete -c dsync -n "__fish_dsync_using_subcommand gc" -l store -d 'Use the store in DIR, not the one in or above the working directory [env: DSYNC_STORE]' -r -F
complete -c dsync -n "__fish_dsync_using_subcommand gc" -l color -d 'Colour the text' -r -f -a "auto\t'On a terminal, unless `NO_COLOR` is set'
always\t'Also into files and pipes'
never\t'Not at all'"
complete -c dsync -n "__fish_dsync_using_subcommand gc" -l wait -d 'Wait at most so long for a store that is in use; 0 fails at once' -r
complete -c dsync -n "__fish_dsync_using_subcommand gc" -l dry-run -d 'Tell what would happen and change nothing'
complete -c dsync -n "__fish_dsync_using_subcommand gc" -l json -d 'Print JSON; errors become one JSON object on standard error'
complete -c dsync -n "__fish_dsync_using_subcommand gc" -s q -l quiet -d 'Print only what was asked for and errors'
complete -c dsync -n "__fish_dsync_using_subcommand gc" -s v -l verbose -d 'Print more (can be repeated)'
complete -c dsync -n "__fish_dsync_using_subcommand gc" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c dsync -n "__fish_dsync_using_subcommand roll" -s C -d 'Work as if started in DIR' -r -F
complete -c dsync -n "__fish_dsync_using_subcommand roll" -l store -d 'Use the store in DIR, not the one in or above the working directory [env: DSYNC_STORE]' -r -F
complete -c dsync -n "__fish_dsync_using_subcommand roll" -l color -d 'Colour the text' -r -f -a "auto\t'On a terminal, unless `NO_COLOR` is set'
always\t'Also into files and pipes'
never\t'Not at all'"
complete -c dsync -n "__fish_dsync_using_subcommand roll" -l wait -d 'Wait at most so long for a store that is in use; 0 fails at once' -r
complete -c dsync -n "__fish_dsync_using_subcommand roll" -l dry-run -d 'Tell what would happen and change nothing'
complete -c dsync -n "__fish_dsync_using_subcommand roll" -l json -d 'Print JSON; errors become one JSON object on standard error'
complete -c dsync -n "__fish_dsync_using_subcommand roll" -s q -l quiet -d 'Print only what was asked for and errors'
complete -c dsync -n "__fish_dsync_using_subcommand roll" -s v -l verbose -d 'Print more (can be repeated)'
complete -c dsync -n "__fish_dsync_using_subcommand roll" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c dsync -n "__fish_dsync_using_subcommand systems; and not __fish_seen_subcommand_from forget help" -s C -d 'Work as if started in DIR' -r -F
complete -c dsync -n "__fish_dsync_using_subcommand systems; and not __fish_seen_subcommand_from forget help" -l store -d 'Use the store in DIR, not the one in or above the working directory [env: DSYNC_STORE]' -r -F
complete -c dsync -n "__fish_dsync_using_subcommand systems; and not __fish_seen_subcommand_from forget help" -l color -d 'Colour the text' -r -f -a "auto\t'On a terminal, unless `NO_COLOR` is set'
always\t'Also into files and pipes'
never\t'Not at all'"
complete -c dsync -n "__fish_dsync_using_subcommand systems; and not __fish_seen_subcommand_from forget help" -l wait -d 'Wait at most so long for a store that is in use; 0 fails at once' -r
complete -c dsync -n "__fish_dsync_using_subcommand systems; and not __fish_seen_subcommand_from forget help" -l json -d 'Print JSON; errors become one JSON object on standard error'
complete -c dsync -n "__fish_dsync_using_subcommand systems; and not __fish_seen_subcommand_from forget help" -s q -l quiet -d 'Print only what was asked for and errors'
complete -c dsync -n "__fish_dsync_using_subcommand systems; and not __fish_seen_subcommand_from forget help" -s v -l verbose -d 'Print more (can be repeated)'
complete -c dsync -n "__fish_dsync_using_subcommand systems; and not __fish_seen_subcommand_from forget help" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c dsync -n "__fish_dsync_using_subcommand systems; and not __fish_seen_subcommand_from forget help" -f -a "forget" -d 'Stop waiting for a system that will not come back'
complete -c dsync -n "__fish_dsync_using_subcommand systems; and not __fish_seen_subcommand_from forget help" -f -a "help" -d 'Print this message or the help of the given subcommand(s)'
complete -c dsync -n "__fish_dsync_using_subcommand systems; and __fish_seen_subcommand_from forget" -s C -d 'Work as if started in DIR' -r -F
complete -c dsync -n "__fish_dsync_using_subcommand systems; and __fish_seen_subcommand_from forget" -l store -d 'Use the store in DIR, not the one in or above the working directory [env: DSYNC_STORE]' -r -F
complete -c dsync -n "__fish_dsync_using_subcommand systems; and __fish_seen_subcommand_from forget" -l color -d 'Colour the text' -r -f -a "auto\t'On a terminal, unless `NO_COLOR` is set'
always\t'Also into files and pipes'
never\t'Not at all'"
complete -c dsync -n "__fish_dsync_using_subcommand systems; and __fish_seen_subcommand_from forget" -l wait -d 'Wait at most so long for a store that is in use; 0 fails at once' -r
complete -c dsync -n "__fish_dsync_using_subcommand systems; and __fish_seen_subcommand_from forget" -l dry-run -d 'Tell what would happen and change nothing'
complete -c dsync -n "__fish_dsync_using_subcommand systems; and __fish_seen_subcommand_from forget" -l json -d 'Print JSON; errors become one JSON object on standard error'
complete -c dsync -n "__fish_dsync_using_subcommand systems; and __fish_seen_subcommand_from forget" -s q -l quiet -d 'Print only what was asked for and errors'
complete -c dsync -n "__fish_dsync_using_subcommand systems; and __fish_seen_subcommand_from forget" -s v -l verbose -d 'Print more (can be repeated)'
complete -c dsync -n "__fish_dsync_using_subcommand systems; and __fish_seen_subcommand_from forget" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c dsync -n "__fish_dsync_using_subcommand systems; and __fish_seen_subcommand_from help" -f -a "forget" -d 'Stop waiting for a system that will not come back'
complete -c dsync -n "__fish_dsync_using_subcommand systems; and __fish_seen_subcommand_from help" -f -a "help" -d 'Print this message or the help of the given subcommand(s)'
complete -c dsync -n "__fish_dsync_using_subcommand serve" -l listen -d 'Listen at this address (not built yet)' -r
complete -c dsync -n "__fish_dsync_using_subcommand serve" -s C -d 'Work as if started in DIR' -r -F
complete -c dsync -n "__fish_dsync_using_subcommand serve" -l store -d 'Use the store in DIR, not the one in or above the working directory [env: DSYNC_STORE]' -r -F
complete -c dsync -n "__fish_dsync_using_subcommand serve" -l color -d 'Colour the text' -r -f -a "auto\t'On a terminal, unless `NO_COLOR` is set'
always\t'Also into files and pipes'
never\t'Not at all'"
complete -c dsync -n "__fish_dsync_using_subcommand serve" -l wait -d 'Wait at most so long for a store that is in use; 0 fails at once' -r
complete -c dsync -n "__fish_dsync_using_subcommand serve" -l stdio -d 'Speak over standard input and output'
complete -c dsync -n "__fish_dsync_using_subcommand serve" -l json -d 'Print JSON; errors become one JSON object on standard error'
complete -c dsync -n "__fish_dsync_using_subcommand serve" -s q -l quiet -d 'Print only what was asked for and errors'
complete -c dsync -n "__fish_dsync_using_subcommand serve" -s v -l verbose -d 'Print more (can be repeated)'
complete -c dsync -n "__fish_dsync_using_subcommand serve" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c dsync -n "__fish_dsync_using_subcommand manager" -s C -d 'Work as if started in DIR' -r -F
complete -c dsync -n "__fish_dsync_using_subcommand manager" -l store -d 'Use the store in DIR, not the one in or above the working directory [env: DSYNC_STORE]' -r -F
complete -c dsync -n "__fish_dsync_using_subcommand manager" -l color -d 'Colour the text' -r -f -a "auto\t'On a terminal, unless `NO_COLOR` is set'
always\t'Also into files and pipes'
never\t'Not at all'"
complete -c dsync -n "__fish_dsync_using_subcommand manager" -l wait -d 'Wait at most so long for a store that is in use; 0 fails at once' -r
complete -c dsync -n "__fish_dsync_using_subcommand manager" -l json -d 'Print JSON; errors become one JSON object on standard error'
complete -c dsync -n "__fish_dsync_using_subcommand manager" -s q -l quiet -d 'Print only what was asked for and errors'
complete -c dsync -n "__fish_dsync_using_subcommand manager" -s v -l verbose -d 'Print more (can be repeated)'
complete -c dsync -n "__fish_dsync_using_subcommand manager" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c dsync -n "__fish_dsync_using_subcommand completions" -s C -d 'Work as if started in DIR' -r -F
complete -c dsync -n "__fish_dsync_using_subcommand completions" -l store -d 'Use the store in DIR, not the one in or above the working directory [env: DSYNC_STORE]' -r -F
complete -c dsync -n "__fish_dsync_using_subcommand completions" -l color -d 'Colour the text' -r -f -a "auto\t'On a terminal, unless `NO_COLOR` is set'
always\t'Also into files and pipes'
never\t'Not at all'"
complete -c dsync -n "__fish_dsync_using_subcommand completions" -l wait -d 'Wait at most so long for a store that is in use; 0 fails at once' -r
complete -c dsync -n "__fish_dsync_using_subcommand completions" -l json -d 'Print JSON; errors become one JSON object on standard error'
complete -c dsync -n "__fish_dsync_using_subcommand completions" -s q -l quiet -d 'Print only what was asked for and errors'
complete -c dsync -n "__fish_dsync_using_subcommand completions" -s v -l verbose -d 'Print more (can be repeated)'
complete -c dsync -n "__fish_dsync_using_subcommand completions" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c dsync -n "__fish_dsync_using_subcommand man" -s C -d 'Work as if started in DIR' -r -F
complete -c dsync -n "__fish_dsync_using_subcommand man" -l store -d 'Use the store in DIR, not the one in or above the working directory [env: DSYNC_STORE]' -r -F
complete -c dsync -n "__fish_dsync_using_subcommand man" -l color -d 'Colour the text' -r -f -a "auto\t'On a terminal, unless `NO_COLOR` is set'
always\t'Also into files and pipes'
never\t'Not at all'"
complete -c dsync -n "__fish_dsync_using_subcommand man" -l wait -d 'Wait at most so long for a store that is in use; 0 fails at once' -r
complete -c dsync -n "__fish_dsync_using_subcommand man" -l dry-run -d 'Tell what would happen and change nothing'
complete -c dsync -n "__fish_dsync_using_subcommand man" -l json -d 'Print JSON; errors become one JSON object on standard error'
complete -c dsync -n "__fish_dsync_using_subcommand man" -s q -l quiet -d 'Print only what was asked for and errors'
complete -c dsync -n "__fish_dsync_using_subcommand man" -s v -l verbose -d 'Print more (can be repeated)'
complete -c dsync -n "__fish_dsync_using_subcommand man" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c dsync -n "__fish_dsync_using_subcommand demo" -s C -d 'Work as if started in DIR' -r -F
complete -c dsync -n "__fish_dsync_using_subcommand demo" -l store -d 'Use the store in DIR, not the one in or above the working directory [env: DSYNC_STORE]' -r -F
complete -c dsync -n "__fish_dsync_using_subcommand demo" -l color -d 'Colour the text' -r -f -a "auto\t'On a terminal, unless `NO_COLOR` is set'
always\t'Also into files and pipes'
never\t'Not at all'"
complete -c dsync -n "__fish_dsync_using_subcommand demo" -l wait -d 'Wait at most so long for a store that is in use; 0 fails at once' -r
complete -c dsync -n "__fish_dsync_using_subcommand demo" -l dry-run -d 'Tell what would happen and change nothing'
complete -c dsync -n "__fish_dsync_using_subcommand demo" -l json -d 'Print JSON; errors become one JSON object on standard error'
complete -c dsync -n "__fish_dsync_using_subcommand demo" -s q -l quiet -d 'Print only what was asked for and errors'
complete -c dsync -n "__fish_dsync_using_subcommand demo" -s v -l verbose -d 'Print more (can be repeated)'
complete -c dsync -n "__fish_dsync_using_subcommand demo" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c dsync -n "__fish_dsync_using_subcommand help; and not __fish_seen_subcommand_from init clone add-source remove-source sources collections columns formats remote key sync snapshot push fetch pull apply status diff log show cat conflicts resolve undo ops restore convert pack unpack watch schedule verify gc roll systems serve manager completions man demo help" -f -a "init" -d 'Make a store in a folder'
complete -c dsync -n "__fish_dsync_using_subcommand help; and not __fish_seen_subcommand_from init clone add-source remove-source sources collections columns formats remote key sync snapshot push fetch pull apply status diff log show cat conflicts resolve undo ops restore convert pack unpack watch schedule verify gc roll systems serve manager completions man demo help" -f -a "clone" -d 'Start a new system from a remote'
complete -c dsync -n "__fish_dsync_using_subcommand help; and not __fish_seen_subcommand_from init clone add-source remove-source sources collections columns formats remote key sync snapshot push fetch pull apply status diff log show cat conflicts resolve undo ops restore convert pack unpack watch schedule verify gc roll systems serve manager completions man demo help" -f -a "add-source" -d 'Bind a file or folder as a source'
complete -c dsync -n "__fish_dsync_using_subcommand help; and not __fish_seen_subcommand_from init clone add-source remove-source sources collections columns formats remote key sync snapshot push fetch pull apply status diff log show cat conflicts resolve undo ops restore convert pack unpack watch schedule verify gc roll systems serve manager completions man demo help" -f -a "remove-source" -d 'Unbind a source; its file and the records stay'
complete -c dsync -n "__fish_dsync_using_subcommand help; and not __fish_seen_subcommand_from init clone add-source remove-source sources collections columns formats remote key sync snapshot push fetch pull apply status diff log show cat conflicts resolve undo ops restore convert pack unpack watch schedule verify gc roll systems serve manager completions man demo help" -f -a "sources" -d 'List the sources'
complete -c dsync -n "__fish_dsync_using_subcommand help; and not __fish_seen_subcommand_from init clone add-source remove-source sources collections columns formats remote key sync snapshot push fetch pull apply status diff log show cat conflicts resolve undo ops restore convert pack unpack watch schedule verify gc roll systems serve manager completions man demo help" -f -a "collections" -d 'List the collections, or set what one does about conflicts'
complete -c dsync -n "__fish_dsync_using_subcommand help; and not __fish_seen_subcommand_from init clone add-source remove-source sources collections columns formats remote key sync snapshot push fetch pull apply status diff log show cat conflicts resolve undo ops restore convert pack unpack watch schedule verify gc roll systems serve manager completions man demo help" -f -a "columns" -d 'List or change the columns of a collection of rows'
complete -c dsync -n "__fish_dsync_using_subcommand help; and not __fish_seen_subcommand_from init clone add-source remove-source sources collections columns formats remote key sync snapshot push fetch pull apply status diff log show cat conflicts resolve undo ops restore convert pack unpack watch schedule verify gc roll systems serve manager completions man demo help" -f -a "formats" -d 'List the formats, or describe one'
complete -c dsync -n "__fish_dsync_using_subcommand help; and not __fish_seen_subcommand_from init clone add-source remove-source sources collections columns formats remote key sync snapshot push fetch pull apply status diff log show cat conflicts resolve undo ops restore convert pack unpack watch schedule verify gc roll systems serve manager completions man demo help" -f -a "remote" -d 'Make, join, list and forget remotes'
complete -c dsync -n "__fish_dsync_using_subcommand help; and not __fish_seen_subcommand_from init clone add-source remove-source sources collections columns formats remote key sync snapshot push fetch pull apply status diff log show cat conflicts resolve undo ops restore convert pack unpack watch schedule verify gc roll systems serve manager completions man demo help" -f -a "key" -d 'Show and change who can open a remote'
complete -c dsync -n "__fish_dsync_using_subcommand help; and not __fish_seen_subcommand_from init clone add-source remove-source sources collections columns formats remote key sync snapshot push fetch pull apply status diff log show cat conflicts resolve undo ops restore convert pack unpack watch schedule verify gc roll systems serve manager completions man demo help" -f -a "sync" -d 'Bring sources, store and remotes in step'
complete -c dsync -n "__fish_dsync_using_subcommand help; and not __fish_seen_subcommand_from init clone add-source remove-source sources collections columns formats remote key sync snapshot push fetch pull apply status diff log show cat conflicts resolve undo ops restore convert pack unpack watch schedule verify gc roll systems serve manager completions man demo help" -f -a "snapshot" -d 'Read the sources and record what changed, no more'
complete -c dsync -n "__fish_dsync_using_subcommand help; and not __fish_seen_subcommand_from init clone add-source remove-source sources collections columns formats remote key sync snapshot push fetch pull apply status diff log show cat conflicts resolve undo ops restore convert pack unpack watch schedule verify gc roll systems serve manager completions man demo help" -f -a "push" -d 'Record a snapshot and send what remotes lack'
complete -c dsync -n "__fish_dsync_using_subcommand help; and not __fish_seen_subcommand_from init clone add-source remove-source sources collections columns formats remote key sync snapshot push fetch pull apply status diff log show cat conflicts resolve undo ops restore convert pack unpack watch schedule verify gc roll systems serve manager completions man demo help" -f -a "fetch" -d 'Get what remotes have; sources stay as they are'
complete -c dsync -n "__fish_dsync_using_subcommand help; and not __fish_seen_subcommand_from init clone add-source remove-source sources collections columns formats remote key sync snapshot push fetch pull apply status diff log show cat conflicts resolve undo ops restore convert pack unpack watch schedule verify gc roll systems serve manager completions man demo help" -f -a "pull" -d 'Fetch, merge and write the sources'
complete -c dsync -n "__fish_dsync_using_subcommand help; and not __fish_seen_subcommand_from init clone add-source remove-source sources collections columns formats remote key sync snapshot push fetch pull apply status diff log show cat conflicts resolve undo ops restore convert pack unpack watch schedule verify gc roll systems serve manager completions man demo help" -f -a "apply" -d 'Write the current state into the sources'
complete -c dsync -n "__fish_dsync_using_subcommand help; and not __fish_seen_subcommand_from init clone add-source remove-source sources collections columns formats remote key sync snapshot push fetch pull apply status diff log show cat conflicts resolve undo ops restore convert pack unpack watch schedule verify gc roll systems serve manager completions man demo help" -f -a "status" -d 'Tell how sources, collections and remotes stand'
complete -c dsync -n "__fish_dsync_using_subcommand help; and not __fish_seen_subcommand_from init clone add-source remove-source sources collections columns formats remote key sync snapshot push fetch pull apply status diff log show cat conflicts resolve undo ops restore convert pack unpack watch schedule verify gc roll systems serve manager completions man demo help" -f -a "diff" -d 'Show what a sync would do, or what differs between two states'
complete -c dsync -n "__fish_dsync_using_subcommand help; and not __fish_seen_subcommand_from init clone add-source remove-source sources collections columns formats remote key sync snapshot push fetch pull apply status diff log show cat conflicts resolve undo ops restore convert pack unpack watch schedule verify gc roll systems serve manager completions man demo help" -f -a "log" -d 'Show the snapshots, newest first'
complete -c dsync -n "__fish_dsync_using_subcommand help; and not __fish_seen_subcommand_from init clone add-source remove-source sources collections columns formats remote key sync snapshot push fetch pull apply status diff log show cat conflicts resolve undo ops restore convert pack unpack watch schedule verify gc roll systems serve manager completions man demo help" -f -a "show" -d 'Show what a snapshot changed'
complete -c dsync -n "__fish_dsync_using_subcommand help; and not __fish_seen_subcommand_from init clone add-source remove-source sources collections columns formats remote key sync snapshot push fetch pull apply status diff log show cat conflicts resolve undo ops restore convert pack unpack watch schedule verify gc roll systems serve manager completions man demo help" -f -a "cat" -d 'Show records'
complete -c dsync -n "__fish_dsync_using_subcommand help; and not __fish_seen_subcommand_from init clone add-source remove-source sources collections columns formats remote key sync snapshot push fetch pull apply status diff log show cat conflicts resolve undo ops restore convert pack unpack watch schedule verify gc roll systems serve manager completions man demo help" -f -a "conflicts" -d 'List the open conflicts'
complete -c dsync -n "__fish_dsync_using_subcommand help; and not __fish_seen_subcommand_from init clone add-source remove-source sources collections columns formats remote key sync snapshot push fetch pull apply status diff log show cat conflicts resolve undo ops restore convert pack unpack watch schedule verify gc roll systems serve manager completions man demo help" -f -a "resolve" -d 'Decide a conflict'
complete -c dsync -n "__fish_dsync_using_subcommand help; and not __fish_seen_subcommand_from init clone add-source remove-source sources collections columns formats remote key sync snapshot push fetch pull apply status diff log show cat conflicts resolve undo ops restore convert pack unpack watch schedule verify gc roll systems serve manager completions man demo help" -f -a "undo" -d 'Take back an operation; sources are brought back too'
complete -c dsync -n "__fish_dsync_using_subcommand help; and not __fish_seen_subcommand_from init clone add-source remove-source sources collections columns formats remote key sync snapshot push fetch pull apply status diff log show cat conflicts resolve undo ops restore convert pack unpack watch schedule verify gc roll systems serve manager completions man demo help" -f -a "ops" -d 'List what was done with this store, newest first'
complete -c dsync -n "__fish_dsync_using_subcommand help; and not __fish_seen_subcommand_from init clone add-source remove-source sources collections columns formats remote key sync snapshot push fetch pull apply status diff log show cat conflicts resolve undo ops restore convert pack unpack watch schedule verify gc roll systems serve manager completions man demo help" -f -a "restore" -d 'Bring back the state of a snapshot, in the store and the sources'
complete -c dsync -n "__fish_dsync_using_subcommand help; and not __fish_seen_subcommand_from init clone add-source remove-source sources collections columns formats remote key sync snapshot push fetch pull apply status diff log show cat conflicts resolve undo ops restore convert pack unpack watch schedule verify gc roll systems serve manager completions man demo help" -f -a "convert" -d 'Convert a file or folder to another format; no store is needed'
complete -c dsync -n "__fish_dsync_using_subcommand help; and not __fish_seen_subcommand_from init clone add-source remove-source sources collections columns formats remote key sync snapshot push fetch pull apply status diff log show cat conflicts resolve undo ops restore convert pack unpack watch schedule verify gc roll systems serve manager completions man demo help" -f -a "pack" -d 'Write changes into a file, for mail and USB sticks'
complete -c dsync -n "__fish_dsync_using_subcommand help; and not __fish_seen_subcommand_from init clone add-source remove-source sources collections columns formats remote key sync snapshot push fetch pull apply status diff log show cat conflicts resolve undo ops restore convert pack unpack watch schedule verify gc roll systems serve manager completions man demo help" -f -a "unpack" -d 'Take in a file made by `dsync pack`'
complete -c dsync -n "__fish_dsync_using_subcommand help; and not __fish_seen_subcommand_from init clone add-source remove-source sources collections columns formats remote key sync snapshot push fetch pull apply status diff log show cat conflicts resolve undo ops restore convert pack unpack watch schedule verify gc roll systems serve manager completions man demo help" -f -a "watch" -d 'Sync when sources or remotes change (not built yet)'
complete -c dsync -n "__fish_dsync_using_subcommand help; and not __fish_seen_subcommand_from init clone add-source remove-source sources collections columns formats remote key sync snapshot push fetch pull apply status diff log show cat conflicts resolve undo ops restore convert pack unpack watch schedule verify gc roll systems serve manager completions man demo help" -f -a "schedule" -d 'Print or install a timer for unattended syncs (not built yet)'
complete -c dsync -n "__fish_dsync_using_subcommand help; and not __fish_seen_subcommand_from init clone add-source remove-source sources collections columns formats remote key sync snapshot push fetch pull apply status diff log show cat conflicts resolve undo ops restore convert pack unpack watch schedule verify gc roll systems serve manager completions man demo help" -f -a "verify" -d 'Check every object, root and reference'
complete -c dsync -n "__fish_dsync_using_subcommand help; and not __fish_seen_subcommand_from init clone add-source remove-source sources collections columns formats remote key sync snapshot push fetch pull apply status diff log show cat conflicts resolve undo ops restore convert pack unpack watch schedule verify gc roll systems serve manager completions man demo help" -f -a "gc" -d 'Remove what nothing needs any more and fold packs together'
complete -c dsync -n "__fish_dsync_using_subcommand help; and not __fish_seen_subcommand_from init clone add-source remove-source sources collections columns formats remote key sync snapshot push fetch pull apply status diff log show cat conflicts resolve undo ops restore convert pack unpack watch schedule verify gc roll systems serve manager completions man demo help" -f -a "roll" -d 'Fold the packs on a remote'
complete -c dsync -n "__fish_dsync_using_subcommand help; and not __fish_seen_subcommand_from init clone add-source remove-source sources collections columns formats remote key sync snapshot push fetch pull apply status diff log show cat conflicts resolve undo ops restore convert pack unpack watch schedule verify gc roll systems serve manager completions man demo help" -f -a "systems" -d 'List who shares a remote with this system, and when last seen'
complete -c dsync -n "__fish_dsync_using_subcommand help; and not __fish_seen_subcommand_from init clone add-source remove-source sources collections columns formats remote key sync snapshot push fetch pull apply status diff log show cat conflicts resolve undo ops restore convert pack unpack watch schedule verify gc roll systems serve manager completions man demo help" -f -a "serve" -d 'Let a peer exchange with the store'
complete -c dsync -n "__fish_dsync_using_subcommand help; and not __fish_seen_subcommand_from init clone add-source remove-source sources collections columns formats remote key sync snapshot push fetch pull apply status diff log show cat conflicts resolve undo ops restore convert pack unpack watch schedule verify gc roll systems serve manager completions man demo help" -f -a "manager" -d 'Manage accounts and groups of systems (not built yet)'
complete -c dsync -n "__fish_dsync_using_subcommand help; and not __fish_seen_subcommand_from init clone add-source remove-source sources collections columns formats remote key sync snapshot push fetch pull apply status diff log show cat conflicts resolve undo ops restore convert pack unpack watch schedule verify gc roll systems serve manager completions man demo help" -f -a "completions" -d 'Print the completion script for a shell'
complete -c dsync -n "__fish_dsync_using_subcommand help; and not __fish_seen_subcommand_from init clone add-source remove-source sources collections columns formats remote key sync snapshot push fetch pull apply status diff log show cat conflicts resolve undo ops restore convert pack unpack watch schedule verify gc roll systems serve manager completions man demo help" -f -a "man" -d 'Print the manual page, or write the pages of all commands'
complete -c dsync -n "__fish_dsync_using_subcommand help; and not __fish_seen_subcommand_from init clone add-source remove-source sources collections columns formats remote key sync snapshot push fetch pull apply status diff log show cat conflicts resolve undo ops restore convert pack unpack watch schedule verify gc roll systems serve manager completions man demo help" -f -a "demo" -d 'Build two systems in a temporary place and sync them, step by step'
complete -c dsync -n "__fish_dsync_using_subcommand help; and not __fish_seen_subcommand_from init clone add-source remove-source sources collections columns formats remote key sync snapshot push fetch pull apply status diff log show cat conflicts resolve undo ops restore convert pack unpack watch schedule verify gc roll systems serve manager completions man demo help" -f -a "help" -d 'Print this message or the help of the given subcommand(s)'
complete -c dsync -n "__fish_dsync_using_subcommand help; and __fish_seen_subcommand_from collections" -f -a "set" -d 'Set what a collection does where two systems wrote one field'
complete -c dsync -n "__fish_dsync_using_subcommand help; and __fish_seen_subcommand_from remote" -f -a "add" -d 'Make a remote, or join one that is there'
complete -c dsync -n "__fish_dsync_using_subcommand help; and __fish_seen_subcommand_from remote" -f -a "list" -d 'List the remotes'
complete -c dsync -n "__fish_dsync_using_subcommand help; and __fish_seen_subcommand_from remote" -f -a "remove" -d 'Forget a remote; what lies there stays'
complete -c dsync -n "__fish_dsync_using_subcommand help; and __fish_seen_subcommand_from key" -f -a "show" -d 'List the keys and passphrases that open a remote'
complete -c dsync -n "__fish_dsync_using_subcommand help; and __fish_seen_subcommand_from key" -f -a "add" -d 'Let one more key or passphrase open a remote'
complete -c dsync -n "__fish_dsync_using_subcommand help; and __fish_seen_subcommand_from key" -f -a "remove" -d 'Take a key or passphrase away from a remote'
complete -c dsync -n "__fish_dsync_using_subcommand help; and __fish_seen_subcommand_from systems" -f -a "forget" -d 'Stop waiting for a system that will not come back'
