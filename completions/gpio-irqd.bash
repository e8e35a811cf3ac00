# Completion of gpio-irqd for bash.

_gpio_irqd() {
  local cur=${COMP_WORDS[COMP_CWORD]} prev=${COMP_WORDS[COMP_CWORD - 1]}
  local command='' place=0 i word socket=() __words='' __names='' __files='' __taken=''
  COMPREPLY=()
  for ((i = 1; i < COMP_CWORD; i++)); do
    word=${COMP_WORDS[i]}
    case $word in
      -c | --config | --driver | --socket | --log-level | --trace | --detail | --expect | --vcd | --map | --seed | --out | --for | --scenario)
        if [[ $word == --socket ]]; then socket=(--socket "${COMP_WORDS[i + 1]}"); fi
        ((i++))
        ;;
      -*) ;;
      *) if [[ -z $command ]]; then command=$word; else ((place++)); fi ;;
    esac
  done
  case $command/$prev in
    run/-c | run/--config) __files=1 ;;
    run/--driver) __words='auto hardware chardev libgpiod onoff sim' ;;
    run/--socket) __files=1 ;;
    run/--log-level) __words='fatal error warn info debug trace silent' ;;
    check/-c | check/--config) __files=1 ;;
    replay/-c | replay/--config) __files=1 ;;
    replay/--trace) __files=1 ;;
    replay/--detail) __words='events contexts' ;;
    replay/--expect) __files=1 ;;
    replay/--vcd) __files=1 ;;
    replay/--map) : ;;
    replay/--seed) : ;;
    replay/--log-level) __words='fatal error warn info debug trace silent' ;;
    record/--out) __files=1 ;;
    record/-c | record/--config) __files=1 ;;
    record/--for) : ;;
    record/--socket) __files=1 ;;
    fuzz/-c | fuzz/--config) __files=1 ;;
    fuzz/--seed) : ;;
    fuzz/--for) : ;;
    fuzz/--scenario) __files=1 ;;
    *) __taken=1 ;;
  esac
  if [[ -n $__taken && $cur == -* ]]; then
    case $command in
      run) __words='--config --driver --socket --log-level --demo --help' ;;
      check) __words='--config --json --help' ;;
      schema) __words='--help' ;;
      detect) __words='--json --help' ;;
      replay) __words='--config --trace --detail --expect --vcd --map --seed --log-level --json --help' ;;
      record) __words='--out --config --for --attach --socket --help' ;;
      fuzz) __words='--config --seed --for --scenario --help' ;;
      *) __words='--version --help' ;;
    esac
  elif [[ -n $__taken && -z $command ]]; then
    __words='run check schema detect replay record fuzz'
  elif [[ -n $__taken ]]; then
    case $command/$place in
    replay/0) __files=1 ;;
    esac
  fi
  if [[ -n $__words ]]; then
    mapfile -t COMPREPLY < <(compgen -W "$__words" -- "$cur")
  elif [[ -n $__names ]]; then
    while IFS= read -r word; do
      if [[ $word == "$cur"* ]]; then COMPREPLY+=("$(printf %q "$word")"); fi
    done < <(command gpio-irqd names "$__names" "$cur" "${socket[@]}" 2>/dev/null)
    if [[ $__names == paths && ${#COMPREPLY[@]} == 1 && ${COMPREPLY[0]} == */ ]]; then compopt -o nospace; fi
  elif [[ -n $__files ]]; then
    compopt -o filenames
    mapfile -t COMPREPLY < <(compgen -f -- "$cur")
  fi
}
complete -F _gpio_irqd gpio-irqd
