import { buildRouteMap } from '@stricli/core'
import { command } from '../command.ts'
import type { Shell } from '../help/completionScripts.ts'
import { word } from './parameters.ts'

export const help = command({
  brief: 'Explain a group of commands, or one command',
  example: 'tandem help machines\ntandem help machine drain',
  parameters: {
    positional: { kind: 'array', parameter: word('WORD', 'A group (tandem --help lists them), or a command') },
  },
  load: async () => (await import('../commands/help.ts')).help,
})

const script = (shell: Shell, where: string) =>
  command({
    brief: `Print the completion of commands, services, machines and rollouts for ${shell}`,
    about:
      'Names come from the cluster of the current context; if it does not answer within a second, only commands and flags are completed.',
    example: where,
    parameters: {},
    load: async () => (await import('../commands/completion.ts')).completionScript(shell),
  })

export const completion = buildRouteMap({
  docs: { brief: 'Complete commands and names with the Tab key', hideRoute: { words: true } },
  routes: {
    bash: script('bash', 'tandem completion bash > /etc/bash_completion.d/tandem'),
    zsh: script('zsh', 'tandem completion zsh > /usr/local/share/zsh/site-functions/_tandem'),
    fish: script('fish', 'tandem completion fish > ~/.config/fish/completions/tandem.fish'),
    words: command({
      brief: 'Print what the last word may become; the scripts call it',
      example: 'tandem completion words -- restart sh',
      parameters: { positional: { kind: 'array', parameter: word('WORD', 'The words after tandem') } },
      load: async () => (await import('../commands/completion.ts')).completeWords,
    }),
  },
})
