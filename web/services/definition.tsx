import { useSignal } from '@preact/signals'
import type { JSX } from 'preact'
import { Command } from '../lib/command.tsx'
import { shortRelease } from '../lib/numbers.ts'
import { useDefinition } from '../lib/useDefinition.ts'
import { visible } from '../lib/visible.ts'

interface DefinitionProps {
  service: string
  release: string | null
}

/** The definition of the release: its own keys, and on demand those that equal a default, marked so. */
export function Definition({ service, release }: DefinitionProps): JSX.Element {
  const definition = useDefinition(service, release)
  const isWhole = useSignal(false)
  const keys = definition?.keys.filter(({ isDefault }) => isWhole.value || !isDefault) ?? []
  const hidden = (definition?.keys.length ?? 0) - keys.length
  return (
    <section aria-labelledby="definition">
      <h2 id="definition">
        Definition{' '}
        {release !== null && (
          <span class="count">
            of <code>{shortRelease(release)}</code>
          </span>
        )}
        <button
          type="button"
          class="plain more"
          aria-pressed={isWhole.value}
          onClick={() => (isWhole.value = !isWhole.value)}
        >
          {isWhole.value ? 'without defaults' : `with defaults${hidden > 0 ? ` (${hidden})` : ''}`}
        </button>
      </h2>
      <div class="definition" tabIndex={0} role="region" aria-label="definition">
        {keys.map(({ key, value, isDefault }) => (
          <p key={key} class={isDefault ? 'quiet' : undefined}>
            {key}: {visible(value)}
            {isDefault && <span class="default"> # default</span>}
          </p>
        ))}
        {definition === null && <p class="quiet">Not in the store.</p>}
      </div>
      {release !== null && (
        <p class="second">
          <Command>{`tandem releases ${service} --definition ${shortRelease(release)}`}</Command>
        </p>
      )}
    </section>
  )
}
