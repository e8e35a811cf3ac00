# Completion of gpio-irqctl for fish.

# Whether the command is $argv[1] (empty for none yet), and as many arguments of it as $argv[2] have been typed.
function __gpio_irqctl_at
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
            case --socket --format --out --type --line --wait --interval --count --for
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
function __gpio_irqctl_names
    set -l socket
    set -l words (commandline -opc)
    if set -l at (contains -i -- --socket $words)
        set socket --socket $words[(math $at + 1)]
    end
    command gpio-irqctl names $argv[1] (commandline -ct) $socket 2>/dev/null
end

complete -c gpio-irqctl -f
complete -c gpio-irqctl -n '__gpio_irqctl_at "" 0' -s V -l version -d 'output the version number'
complete -c gpio-irqctl -n '__gpio_irqctl_at "" 0' -l socket -r -F -d 'control socket of the daemon (default: your own daemon, else the service)'
complete -c gpio-irqctl -n '__gpio_irqctl_at "" 0' -l json -d 'answers as JSON, one a line'
complete -c gpio-irqctl -n '__gpio_irqctl_at "" 0' -s h -l help -d 'say more'
complete -c gpio-irqctl -n '__gpio_irqctl_at "" 0' -f -a status -d 'the daemon, its driver, edges received and lost'
complete -c gpio-irqctl -n '__fish_seen_subcommand_from status' -l socket -r -F -d 'control socket of the daemon (default: your own daemon, else the service)'
complete -c gpio-irqctl -n '__fish_seen_subcommand_from status' -l json -d 'answers as JSON, one a line'
complete -c gpio-irqctl -n '__fish_seen_subcommand_from status' -s h -l help -d 'say more'
complete -c gpio-irqctl -n '__gpio_irqctl_at "" 0' -f -a lines -d 'every line with its value and its edges'
complete -c gpio-irqctl -n '__fish_seen_subcommand_from lines' -l socket -r -F -d 'control socket of the daemon (default: your own daemon, else the service)'
complete -c gpio-irqctl -n '__fish_seen_subcommand_from lines' -l json -d 'answers as JSON, one a line'
complete -c gpio-irqctl -n '__fish_seen_subcommand_from lines' -s h -l help -d 'say more'
complete -c gpio-irqctl -n '__gpio_irqctl_at "" 0' -f -a get -d 'the level of a line: 0 or 1, alone'
complete -c gpio-irqctl -n '__fish_seen_subcommand_from get' -l socket -r -F -d 'control socket of the daemon (default: your own daemon, else the service)'
complete -c gpio-irqctl -n '__fish_seen_subcommand_from get' -l json -d 'answers as JSON, one a line'
complete -c gpio-irqctl -n '__fish_seen_subcommand_from get' -s h -l help -d 'say more'
complete -c gpio-irqctl -n '__gpio_irqctl_at get 0' -f -a '(__gpio_irqctl_names lines)'
complete -c gpio-irqctl -n '__gpio_irqctl_at "" 0' -f -a set -d 'set an output'
complete -c gpio-irqctl -n '__fish_seen_subcommand_from set' -l socket -r -F -d 'control socket of the daemon (default: your own daemon, else the service)'
complete -c gpio-irqctl -n '__fish_seen_subcommand_from set' -l json -d 'answers as JSON, one a line'
complete -c gpio-irqctl -n '__fish_seen_subcommand_from set' -s h -l help -d 'say more'
complete -c gpio-irqctl -n '__gpio_irqctl_at set 0' -f -a '(__gpio_irqctl_names outputs)'
complete -c gpio-irqctl -n '__gpio_irqctl_at set 1' -f -a '0 1'
complete -c gpio-irqctl -n '__gpio_irqctl_at "" 0' -f -a interrupts -d '/proc/interrupts of the model'
complete -c gpio-irqctl -n '__fish_seen_subcommand_from interrupts' -l socket -r -F -d 'control socket of the daemon (default: your own daemon, else the service)'
complete -c gpio-irqctl -n '__fish_seen_subcommand_from interrupts' -l json -d 'answers as JSON, one a line'
complete -c gpio-irqctl -n '__fish_seen_subcommand_from interrupts' -s h -l help -d 'say more'
complete -c gpio-irqctl -n '__gpio_irqctl_at "" 0' -f -a irq -d 'an interrupt line: show it, enable or disable it, or send it to other CPUs'
complete -c gpio-irqctl -n '__fish_seen_subcommand_from irq' -l socket -r -F -d 'control socket of the daemon (default: your own daemon, else the service)'
complete -c gpio-irqctl -n '__fish_seen_subcommand_from irq' -l json -d 'answers as JSON, one a line'
complete -c gpio-irqctl -n '__fish_seen_subcommand_from irq' -s h -l help -d 'say more'
complete -c gpio-irqctl -n '__gpio_irqctl_at irq 0' -f -a '(__gpio_irqctl_names irqs)'
complete -c gpio-irqctl -n '__gpio_irqctl_at irq 1' -f -a 'enable disable affinity'
complete -c gpio-irqctl -n '__gpio_irqctl_at irq 2' -f
complete -c gpio-irqctl -n '__gpio_irqctl_at "" 0' -f -a softirqs -d '/proc/softirqs of the model'
complete -c gpio-irqctl -n '__fish_seen_subcommand_from softirqs' -l socket -r -F -d 'control socket of the daemon (default: your own daemon, else the service)'
complete -c gpio-irqctl -n '__fish_seen_subcommand_from softirqs' -l json -d 'answers as JSON, one a line'
complete -c gpio-irqctl -n '__fish_seen_subcommand_from softirqs' -s h -l help -d 'say more'
complete -c gpio-irqctl -n '__gpio_irqctl_at "" 0' -f -a workqueues -d 'the workqueues of the model, and what they have done'
complete -c gpio-irqctl -n '__fish_seen_subcommand_from workqueues' -l socket -r -F -d 'control socket of the daemon (default: your own daemon, else the service)'
complete -c gpio-irqctl -n '__fish_seen_subcommand_from workqueues' -l json -d 'answers as JSON, one a line'
complete -c gpio-irqctl -n '__fish_seen_subcommand_from workqueues' -s h -l help -d 'say more'
complete -c gpio-irqctl -n '__gpio_irqctl_at "" 0' -f -a ps -d 'the tasks of the model: interrupt threads, kworkers, ksoftirqd'
complete -c gpio-irqctl -n '__fish_seen_subcommand_from ps' -l socket -r -F -d 'control socket of the daemon (default: your own daemon, else the service)'
complete -c gpio-irqctl -n '__fish_seen_subcommand_from ps' -l json -d 'answers as JSON, one a line'
complete -c gpio-irqctl -n '__fish_seen_subcommand_from ps' -s h -l help -d 'say more'
complete -c gpio-irqctl -n '__gpio_irqctl_at "" 0' -f -a cat -d 'a file of the model, such as /proc/interrupts'
complete -c gpio-irqctl -n '__fish_seen_subcommand_from cat' -l socket -r -F -d 'control socket of the daemon (default: your own daemon, else the service)'
complete -c gpio-irqctl -n '__fish_seen_subcommand_from cat' -l json -d 'answers as JSON, one a line'
complete -c gpio-irqctl -n '__fish_seen_subcommand_from cat' -s h -l help -d 'say more'
complete -c gpio-irqctl -n '__gpio_irqctl_at cat 0' -f -a '(__gpio_irqctl_names paths)'
complete -c gpio-irqctl -n '__gpio_irqctl_at "" 0' -f -a ls -d 'a directory of the model, such as /proc/irq'
complete -c gpio-irqctl -n '__fish_seen_subcommand_from ls' -l socket -r -F -d 'control socket of the daemon (default: your own daemon, else the service)'
complete -c gpio-irqctl -n '__fish_seen_subcommand_from ls' -l json -d 'answers as JSON, one a line'
complete -c gpio-irqctl -n '__fish_seen_subcommand_from ls' -s h -l help -d 'say more'
complete -c gpio-irqctl -n '__gpio_irqctl_at ls 0' -f -a '(__gpio_irqctl_names paths)'
complete -c gpio-irqctl -n '__gpio_irqctl_at "" 0' -f -a write -d 'write to a file of the model, as `echo TEXT > PATH` does'
complete -c gpio-irqctl -n '__fish_seen_subcommand_from write' -l socket -r -F -d 'control socket of the daemon (default: your own daemon, else the service)'
complete -c gpio-irqctl -n '__fish_seen_subcommand_from write' -l json -d 'answers as JSON, one a line'
complete -c gpio-irqctl -n '__fish_seen_subcommand_from write' -s h -l help -d 'say more'
complete -c gpio-irqctl -n '__gpio_irqctl_at write 0' -f -a '(__gpio_irqctl_names paths)'
complete -c gpio-irqctl -n '__gpio_irqctl_at write 1' -f
complete -c gpio-irqctl -n '__gpio_irqctl_at "" 0' -f -a metrics -d 'all metrics, in the text format of Prometheus'
complete -c gpio-irqctl -n '__fish_seen_subcommand_from metrics' -l socket -r -F -d 'control socket of the daemon (default: your own daemon, else the service)'
complete -c gpio-irqctl -n '__fish_seen_subcommand_from metrics' -l json -d 'answers as JSON, one a line'
complete -c gpio-irqctl -n '__fish_seen_subcommand_from metrics' -s h -l help -d 'say more'
complete -c gpio-irqctl -n '__gpio_irqctl_at "" 0' -f -a trace -d 'what ran when, in which context'
complete -c gpio-irqctl -n '__fish_seen_subcommand_from trace' -l format -r -f -a 'ftrace perfetto jsonl' -d 'for trace-cmd and its like, for ui.perfetto.dev, or a record a line'
complete -c gpio-irqctl -n '__fish_seen_subcommand_from trace' -l out -r -F -d 'write it there'
complete -c gpio-irqctl -n '__fish_seen_subcommand_from trace' -l socket -r -F -d 'control socket of the daemon (default: your own daemon, else the service)'
complete -c gpio-irqctl -n '__fish_seen_subcommand_from trace' -l json -d 'answers as JSON, one a line'
complete -c gpio-irqctl -n '__fish_seen_subcommand_from trace' -s h -l help -d 'say more'
complete -c gpio-irqctl -n '__gpio_irqctl_at "" 0' -f -a events -d 'events as they happen, until Ctrl-C; also over a restart of the daemon'
complete -c gpio-irqctl -n '__fish_seen_subcommand_from events' -l type -r -f -a 'edge value log lost dropped limited press trigger storm chip line reload mqtt error' -d 'only events of these types, separated by commas'
complete -c gpio-irqctl -n '__fish_seen_subcommand_from events' -l line -r -f -a '(__gpio_irqctl_names lines)' -d 'only events of these lines, separated by commas'
complete -c gpio-irqctl -n '__fish_seen_subcommand_from events' -l wait -r -f -d 'how long a daemon that went away is waited for'
complete -c gpio-irqctl -n '__fish_seen_subcommand_from events' -l socket -r -F -d 'control socket of the daemon (default: your own daemon, else the service)'
complete -c gpio-irqctl -n '__fish_seen_subcommand_from events' -l json -d 'answers as JSON, one a line'
complete -c gpio-irqctl -n '__fish_seen_subcommand_from events' -s h -l help -d 'say more'
complete -c gpio-irqctl -n '__gpio_irqctl_at "" 0' -f -a top -d 'lines, interrupts, softirqs and workqueues with their rates, drawn anew all the time; q ends it'
complete -c gpio-irqctl -n '__fish_seen_subcommand_from top' -l interval -r -f -d 'how often'
complete -c gpio-irqctl -n '__fish_seen_subcommand_from top' -l count -r -f -d 'end after so many pictures (default: never)'
complete -c gpio-irqctl -n '__fish_seen_subcommand_from top' -l socket -r -F -d 'control socket of the daemon (default: your own daemon, else the service)'
complete -c gpio-irqctl -n '__fish_seen_subcommand_from top' -l json -d 'answers as JSON, one a line'
complete -c gpio-irqctl -n '__fish_seen_subcommand_from top' -s h -l help -d 'say more'
complete -c gpio-irqctl -n '__gpio_irqctl_at "" 0' -f -a press -d 'press a simulated button, and wait until what it set off has run'
complete -c gpio-irqctl -n '__fish_seen_subcommand_from press' -l for -r -f -d 'how long it is held (default: 80ms)'
complete -c gpio-irqctl -n '__fish_seen_subcommand_from press' -l bounce -d 'let its contact bounce'
complete -c gpio-irqctl -n '__fish_seen_subcommand_from press' -l socket -r -F -d 'control socket of the daemon (default: your own daemon, else the service)'
complete -c gpio-irqctl -n '__fish_seen_subcommand_from press' -l json -d 'answers as JSON, one a line'
complete -c gpio-irqctl -n '__fish_seen_subcommand_from press' -s h -l help -d 'say more'
complete -c gpio-irqctl -n '__gpio_irqctl_at press 0' -f -a '(__gpio_irqctl_names buttons)'
complete -c gpio-irqctl -n '__gpio_irqctl_at "" 0' -f -a reload -d 'read the configuration again; a wrong one changes nothing, and is exit status 2'
complete -c gpio-irqctl -n '__fish_seen_subcommand_from reload' -l socket -r -F -d 'control socket of the daemon (default: your own daemon, else the service)'
complete -c gpio-irqctl -n '__fish_seen_subcommand_from reload' -l json -d 'answers as JSON, one a line'
complete -c gpio-irqctl -n '__fish_seen_subcommand_from reload' -s h -l help -d 'say more'
complete -c gpio-irqctl -n '__gpio_irqctl_at "" 0' -f -a hook -d 'run the actions of a trigger that waits for this hook, with what {payload} stands for'
complete -c gpio-irqctl -n '__fish_seen_subcommand_from hook' -l socket -r -F -d 'control socket of the daemon (default: your own daemon, else the service)'
complete -c gpio-irqctl -n '__fish_seen_subcommand_from hook' -l json -d 'answers as JSON, one a line'
complete -c gpio-irqctl -n '__fish_seen_subcommand_from hook' -s h -l help -d 'say more'
complete -c gpio-irqctl -n '__gpio_irqctl_at hook 0' -f -a '(__gpio_irqctl_names hooks)'
complete -c gpio-irqctl -n '__gpio_irqctl_at hook 1' -f
complete -c gpio-irqctl -n '__gpio_irqctl_at "" 0' -f -a hooks -d 'the hooks that triggers wait for'
complete -c gpio-irqctl -n '__fish_seen_subcommand_from hooks' -l socket -r -F -d 'control socket of the daemon (default: your own daemon, else the service)'
complete -c gpio-irqctl -n '__fish_seen_subcommand_from hooks' -l json -d 'answers as JSON, one a line'
complete -c gpio-irqctl -n '__fish_seen_subcommand_from hooks' -s h -l help -d 'say more'
complete -c gpio-irqctl -n '__gpio_irqctl_at "" 0' -f -a openapi -d 'the description of the API, in OpenAPI 3.1'
complete -c gpio-irqctl -n '__fish_seen_subcommand_from openapi' -l socket -r -F -d 'control socket of the daemon (default: your own daemon, else the service)'
complete -c gpio-irqctl -n '__fish_seen_subcommand_from openapi' -l json -d 'answers as JSON, one a line'
complete -c gpio-irqctl -n '__fish_seen_subcommand_from openapi' -s h -l help -d 'say more'
complete -c gpio-irqctl -n '__gpio_irqctl_at "" 0' -f -a completion -d 'the script that completes this command in a shell: source <(gpio-irqctl completion bash)'
complete -c gpio-irqctl -n '__fish_seen_subcommand_from completion' -l socket -r -F -d 'control socket of the daemon (default: your own daemon, else the service)'
complete -c gpio-irqctl -n '__fish_seen_subcommand_from completion' -l json -d 'answers as JSON, one a line'
complete -c gpio-irqctl -n '__fish_seen_subcommand_from completion' -s h -l help -d 'say more'
complete -c gpio-irqctl -n '__gpio_irqctl_at completion 0' -f -a 'bash zsh fish'
