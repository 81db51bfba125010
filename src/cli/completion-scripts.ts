/** What each shell needs in order to ask us: as little as can be, because it is hard to test. */

interface Shell {
  readonly name: 'bash' | 'zsh' | 'fish'
  /** For the shell that one is in. */
  readonly example: string
  /** For all that are started from now on. */
  readonly install: string
  readonly script: string
}

const BASH = String.raw`# Completion of tollgate for bash.
_tollgate() {
  local line
  COMPREPLY=()
  while IFS= read -r line; do
    case $line in
      :files) compopt -o default 2>/dev/null ;;
      :folders) compopt -o nospace -o dirnames 2>/dev/null ;;
      *) COMPREPLY+=("${'$'}{line%%$'\t'*}") ;;
    esac
  done < <(printf '%s\n' "${'$'}{COMP_WORDS[@]:1:COMP_CWORD}" |
    "${'$'}{1/#\~/$HOME}" completion answer 2>/dev/null)
}
complete -F _tollgate tollgate
`

const ZSH = String.raw`#compdef tollgate
# Completion of tollgate for zsh.
_tollgate() {
  local line value
  local -a answers
  while IFS= read -r line; do
    case $line in
      :files) _files ;;
      :folders) _files -/ ;;
      *)
        value=${'$'}{line%%$'\t'*}
        answers+=("${'$'}{value//:/\\:}:${'$'}{line#*$'\t'}")
        ;;
    esac
  done < <(printf '%s\n' "${'$'}{(@Q)words[2,CURRENT]}" |
    "${'$'}{words[1]/#\~/$HOME}" completion answer 2>/dev/null)
  (( ${'$'}{#answers} )) && _describe tollgate answers
}
if [[ ${'$'}{funcstack[1]} = _tollgate ]]; then
  _tollgate "$@"
else
  compdef _tollgate tollgate
fi
`

const FISH = String.raw`# Completion of tollgate for fish.
function __tollgate_answers
    set -l words (commandline -opc)
    set -l current (commandline -ct)
    for line in (printf '%s\n' $words[2..-1] "$current" | $words[1] completion answer 2>/dev/null)
        switch $line
            case ':files'
                __fish_complete_path "$current"
            case ':folders'
                __fish_complete_directories "$current"
            case '*'
                echo $line
        end
    end
end
complete -c tollgate -f -a '(__tollgate_answers)'
`

export const SHELLS: readonly Shell[] = [
  {
    name: 'bash',
    example: 'source <(tollgate completion bash)',
    install: "echo 'source <(tollgate completion bash)' >> ~/.bashrc",
    script: BASH,
  },
  {
    name: 'zsh',
    example: 'source <(tollgate completion zsh)    # after compinit',
    install: "echo 'source <(tollgate completion zsh)' >> ~/.zshrc    # after compinit",
    script: ZSH,
  },
  {
    name: 'fish',
    example: 'tollgate completion fish | source',
    install: 'tollgate completion fish > ~/.config/fish/completions/tollgate.fish',
    script: FISH,
  },
]
