# Completion of gpio-irqctl for bash.

_gpio_irqctl() {
  local cur=${COMP_WORDS[COMP_CWORD]} prev=${COMP_WORDS[COMP_CWORD - 1]}
  local command='' place=0 i word socket=() __words='' __names='' __files='' __taken=''
  COMPREPLY=()
  for ((i = 1; i < COMP_CWORD; i++)); do
    word=${COMP_WORDS[i]}
    case $word in
      --socket | --format | --out | --type | --line | --wait | --interval | --count | --for)
        if [[ $word == --socket ]]; then socket=(--socket "${COMP_WORDS[i + 1]}"); fi
        ((i++))
        ;;
      -*) ;;
      *) if [[ -z $command ]]; then command=$word; else ((place++)); fi ;;
    esac
  done
  case $command/$prev in
    /--socket) __files=1 ;;
    status/--socket) __files=1 ;;
    lines/--socket) __files=1 ;;
    get/--socket) __files=1 ;;
    set/--socket) __files=1 ;;
    interrupts/--socket) __files=1 ;;
    irq/--socket) __files=1 ;;
    softirqs/--socket) __files=1 ;;
    workqueues/--socket) __files=1 ;;
    ps/--socket) __files=1 ;;
    cat/--socket) __files=1 ;;
    ls/--socket) __files=1 ;;
    write/--socket) __files=1 ;;
    metrics/--socket) __files=1 ;;
    trace/--format) __words='ftrace perfetto jsonl' ;;
    trace/--out) __files=1 ;;
    trace/--socket) __files=1 ;;
    events/--type) __words='edge value log lost dropped limited press trigger storm chip line reload mqtt error' ;;
    events/--line) __names=lines ;;
    events/--wait) : ;;
    events/--socket) __files=1 ;;
    top/--interval) : ;;
    top/--count) : ;;
    top/--socket) __files=1 ;;
    press/--for) : ;;
    press/--socket) __files=1 ;;
    reload/--socket) __files=1 ;;
    hook/--socket) __files=1 ;;
    hooks/--socket) __files=1 ;;
    openapi/--socket) __files=1 ;;
    completion/--socket) __files=1 ;;
    *) __taken=1 ;;
  esac
  if [[ -n $__taken && $cur == -* ]]; then
    case $command in
      status) __words='--socket --json --help' ;;
      lines) __words='--socket --json --help' ;;
      get) __words='--socket --json --help' ;;
      set) __words='--socket --json --help' ;;
      interrupts) __words='--socket --json --help' ;;
      irq) __words='--socket --json --help' ;;
      softirqs) __words='--socket --json --help' ;;
      workqueues) __words='--socket --json --help' ;;
      ps) __words='--socket --json --help' ;;
      cat) __words='--socket --json --help' ;;
      ls) __words='--socket --json --help' ;;
      write) __words='--socket --json --help' ;;
      metrics) __words='--socket --json --help' ;;
      trace) __words='--format --out --socket --json --help' ;;
      events) __words='--type --line --wait --socket --json --help' ;;
      top) __words='--interval --count --socket --json --help' ;;
      press) __words='--for --bounce --socket --json --help' ;;
      reload) __words='--socket --json --help' ;;
      hook) __words='--socket --json --help' ;;
      hooks) __words='--socket --json --help' ;;
      openapi) __words='--socket --json --help' ;;
      completion) __words='--socket --json --help' ;;
      *) __words='--version --socket --json --help' ;;
    esac
  elif [[ -n $__taken && -z $command ]]; then
    __words='status lines get set interrupts irq softirqs workqueues ps cat ls write metrics trace events top press reload hook hooks openapi completion'
  elif [[ -n $__taken ]]; then
    case $command/$place in
    get/0) __names=lines ;;
    set/0) __names=outputs ;;
    set/1) __words='0 1' ;;
    irq/0) __names=irqs ;;
    irq/1) __words='enable disable affinity' ;;
    irq/2) : ;;
    cat/0) __names=paths ;;
    ls/0) __names=paths ;;
    write/0) __names=paths ;;
    write/1) : ;;
    press/0) __names=buttons ;;
    hook/0) __names=hooks ;;
    hook/1) : ;;
    completion/0) __words='bash zsh fish' ;;
    esac
  fi
  if [[ -n $__words ]]; then
    mapfile -t COMPREPLY < <(compgen -W "$__words" -- "$cur")
  elif [[ -n $__names ]]; then
    while IFS= read -r word; do
      if [[ $word == "$cur"* ]]; then COMPREPLY+=("$(printf %q "$word")"); fi
    done < <(command gpio-irqctl names "$__names" "$cur" "${socket[@]}" 2>/dev/null)
    if [[ $__names == paths && ${#COMPREPLY[@]} == 1 && ${COMPREPLY[0]} == */ ]]; then compopt -o nospace; fi
  elif [[ -n $__files ]]; then
    compopt -o filenames
    mapfile -t COMPREPLY < <(compgen -f -- "$cur")
  fi
}
complete -F _gpio_irqctl gpio-irqctl
