# Completion of gpio-irqd for fish.

# Whether the command is $argv[1] (empty for none yet), and as many arguments of it as $argv[2] have been typed.
function __gpio_irqd_at
    set -l words (commandline -opc)
    set -l command ''
    set -l place 0
    set -l skip 0
    for word in $words[2..-1]
        if test $skip -eq 1
            set skip 0
            continue
        end
        switch $word
            case -c --config --driver --socket --log-level --trace --detail --expect --vcd --map --seed --out --for --scenario
                set skip 1
            case '-*'
            case '*'
                if test -z "$command"
                    set command $word
                else
                    set place (math $place + 1)
                end
        end
    end
    test $skip -eq 0; and test "$command" = "$argv[1]"; and test $place -eq $argv[2]
end

# What the daemon knows; of which one, --socket says.
function __gpio_irqd_names
    set -l socket
    set -l words (commandline -opc)
    if set -l at (contains -i -- --socket $words)
        set socket --socket $words[(math $at + 1)]
    end
    command gpio-irqd names $argv[1] (commandline -ct) $socket 2>/dev/null
end

complete -c gpio-irqd -f
complete -c gpio-irqd -n '__gpio_irqd_at "" 0' -s V -l version -d 'output the version number'
complete -c gpio-irqd -n '__gpio_irqd_at "" 0' -s h -l help -d 'say more'
complete -c gpio-irqd -n '__gpio_irqd_at "" 0' -f -a run -d 'run the daemon in the foreground (what happens when no command is named)'
complete -c gpio-irqd -n '__fish_seen_subcommand_from run' -s c -l config -r -F -d 'configuration file'
complete -c gpio-irqd -n '__fish_seen_subcommand_from run' -l driver -r -f -a 'auto hardware chardev libgpiod onoff sim' -d 'in place of the configuration\'s own (hardware: unless that names a driver of hardware)'
complete -c gpio-irqd -n '__fish_seen_subcommand_from run' -l socket -r -F -d 'control socket (default: in the runtime directory of the service or of the user)'
complete -c gpio-irqd -n '__fish_seen_subcommand_from run' -l log-level -r -f -a 'fatal error warn info debug trace silent' -d 'least urgent level that is logged (default: info; warn with --demo)'
complete -c gpio-irqd -n '__fish_seen_subcommand_from run' -l demo -d 'press the simulated buttons, show what ran in which context, and end'
complete -c gpio-irqd -n '__fish_seen_subcommand_from run' -s h -l help -d 'say more'
complete -c gpio-irqd -n '__gpio_irqd_at "" 0' -f -a check -d 'check a configuration file: exit 0, or 2 with every mistake as FILE:LINE:COLUMN'
complete -c gpio-irqd -n '__fish_seen_subcommand_from check' -s c -l config -r -F -d 'configuration file'
complete -c gpio-irqd -n '__fish_seen_subcommand_from check' -l json -d 'the result as JSON'
complete -c gpio-irqd -n '__fish_seen_subcommand_from check' -s h -l help -d 'say more'
complete -c gpio-irqd -n '__gpio_irqd_at "" 0' -f -a schema -d 'print the JSON Schema of the configuration, for editors'
complete -c gpio-irqd -n '__fish_seen_subcommand_from schema' -s h -l help -d 'say more'
complete -c gpio-irqd -n '__gpio_irqd_at "" 0' -f -a detect -d 'the GPIO chips of this machine, which is the header, and which drivers can be used'
complete -c gpio-irqd -n '__fish_seen_subcommand_from detect' -l json -d 'the result as JSON'
complete -c gpio-irqd -n '__fish_seen_subcommand_from detect' -s h -l help -d 'say more'
complete -c gpio-irqd -n '__gpio_irqd_at "" 0' -f -a replay -d 'play a scenario against a configuration, on a simulated Pi in virtual time (docs/scenarios.md)'
complete -c gpio-irqd -n '__fish_seen_subcommand_from replay' -s c -l config -r -F -d 'configuration file'
complete -c gpio-irqd -n '__fish_seen_subcommand_from replay' -l trace -r -F -d 'write what happened, a JSON object a line: the same bytes at every run'
complete -c gpio-irqd -n '__fish_seen_subcommand_from replay' -l detail -r -f -a 'events contexts' -d 'what the trace tells: events of the daemon, or contexts of the model as well'
complete -c gpio-irqd -n '__fish_seen_subcommand_from replay' -l expect -r -F -d 'compare with a trace that was written before, and show where they differ'
complete -c gpio-irqd -n '__fish_seen_subcommand_from replay' -l vcd -r -F -d 'write the levels of all lines, for GTKWave or PulseView'
complete -c gpio-irqd -n '__fish_seen_subcommand_from replay' -l map -r -f -d 'a capture (.vcd): which signal is which line; may be given more than once'
complete -c gpio-irqd -n '__fish_seen_subcommand_from replay' -l seed -r -f -d 'of what bounces, in place of the scenario\'s own'
complete -c gpio-irqd -n '__fish_seen_subcommand_from replay' -l log-level -r -f -a 'fatal error warn info debug trace silent' -d 'show the daemon\'s log from this level on'
complete -c gpio-irqd -n '__fish_seen_subcommand_from replay' -l json -d 'the result as JSON'
complete -c gpio-irqd -n '__fish_seen_subcommand_from replay' -s h -l help -d 'say more'
complete -c gpio-irqd -n '__gpio_irqd_at replay 0' -F
complete -c gpio-irqd -n '__gpio_irqd_at "" 0' -f -a record -d 'record the edges of real lines, with their stamps, as a scenario (docs/scenarios.md)'
complete -c gpio-irqd -n '__fish_seen_subcommand_from record' -l out -r -F -d 'where the scenario goes'
complete -c gpio-irqd -n '__fish_seen_subcommand_from record' -s c -l config -r -F -d 'configuration file'
complete -c gpio-irqd -n '__fish_seen_subcommand_from record' -l for -r -f -d 'how long (default: until Ctrl-C)'
complete -c gpio-irqd -n '__fish_seen_subcommand_from record' -l attach -d 'record what the daemon that runs reports, in place of the lines themselves'
complete -c gpio-irqd -n '__fish_seen_subcommand_from record' -l socket -r -F -d 'with --attach: the daemon\'s control socket'
complete -c gpio-irqd -n '__fish_seen_subcommand_from record' -s h -l help -d 'say more'
complete -c gpio-irqd -n '__gpio_irqd_at "" 0' -f -a fuzz -d 'play random scenarios against a configuration, and check what has to hold of every daemon (docs/scenarios.md)'
complete -c gpio-irqd -n '__fish_seen_subcommand_from fuzz' -s c -l config -r -F -d 'configuration file'
complete -c gpio-irqd -n '__fish_seen_subcommand_from fuzz' -l seed -r -f -d 'of the scenarios: the same are played for the same seed'
complete -c gpio-irqd -n '__fish_seen_subcommand_from fuzz' -l for -r -f -d 'time in the simulation'
complete -c gpio-irqd -n '__fish_seen_subcommand_from fuzz' -l scenario -r -F -d 'check this scenario in place of random ones, such as one that was found before'
complete -c gpio-irqd -n '__fish_seen_subcommand_from fuzz' -s h -l help -d 'say more'
