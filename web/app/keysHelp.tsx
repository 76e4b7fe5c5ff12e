import type { JSX } from 'preact'
import { shownKeys, type Key } from '../lib/keys.ts'

const groups: Key['group'][] = ['Anywhere', 'Go to', 'Lists and charts']

const signs: Record<string, string> = { ArrowLeft: '←', ArrowRight: '→', '-': '−' }

export function KeysHelp(): JSX.Element {
  const all: Pick<Key, 'keys' | 'does' | 'group'>[] = [
    ...shownKeys.value,
    { keys: 'Esc', does: 'Back, close', group: 'Anywhere' },
  ]
  return (
    <div class="groups">
      {groups.map((group) => {
        const keys = all.filter((key) => key.group === group)
        if (keys.length === 0) return null
        return (
          <section key={group} aria-label={group}>
            <h3>{group}</h3>
            <dl>
              {keys.map(({ keys: names, does }) => (
                <div key={names}>
                  <dt>{does}</dt>
                  <dd>
                    {names.split(/ |(?<=.)\+/).map((name) => (
                      <kbd key={name}>{signs[name] ?? name}</kbd>
                    ))}
                  </dd>
                </div>
              ))}
            </dl>
          </section>
        )
      })}
    </div>
  )
}
