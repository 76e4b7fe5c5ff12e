import { useComputed, useSignal } from '@preact/signals'
import type { JSX } from 'preact'
import { useEffect, useId, useRef } from 'preact/hooks'
import { barLinks, paletteItems } from '../features.ts'
import { ChosenChange, type ChangeProps } from '../lib/change.tsx'
import { useCluster, type Cluster } from '../lib/cluster.ts'
import { Shape } from '../lib/glyph.tsx'
import { found, marked, type PaletteItem } from '../lib/palette.ts'
import { go } from '../lib/router.ts'
import { stateOf } from '../lib/states.ts'
import { findPage } from './findPage.ts'
import './palette.css'
import { withinPast } from './pastAddress.ts'

/** Items that lead to a page that is not there, as in a build without its feature, are none. */
const isThere = ({ path }: PaletteItem): boolean =>
  path === undefined || findPage(new URL(path, location.href).pathname) !== null

const itemsOf = (cluster: Cluster): PaletteItem[] => [
  ...barLinks.map(({ name, path, command = `tandem open ${path}` }): PaletteItem => {
    return { group: 'Go to', name, command, path }
  }),
  ...paletteItems.flatMap((items) => items(cluster)).filter(isThere),
]

/** Finds pages and actions by a few letters of their name or command. */
export function Palette({ close }: { close: () => void }): JSX.Element {
  const cluster = useCluster()
  const [text, at] = [useSignal(''), useSignal(0)]
  const chosen = useSignal<ChangeProps | null>(null)
  const list = useId()
  const shown = useComputed(() => found(itemsOf(cluster), text.value))
  const input = useRef<HTMLInputElement>(null)
  useEffect(() => input.current?.focus(), [])
  useEffect(() => document.getElementById(`${list}-${at.value}`)?.scrollIntoView({ block: 'nearest' }), [at.value])
  const open = (item: PaletteItem | undefined): void => {
    if (!item || refusalOf(cluster, item) !== null) return
    if (item.change) {
      chosen.value = item.change
      return
    }
    close()
    go(withinPast(new URL(item.path ?? '/', location.href)).href)
  }
  const pressed = (event: KeyboardEvent): void => {
    const { length } = shown.value
    const step = event.key === 'ArrowDown' ? 1 : event.key === 'ArrowUp' ? -1 : 0
    if (step !== 0 && length > 0) at.value = (at.value + step + length) % length
    else if (event.key === 'Enter') open(shown.value[at.value])
    else if (event.key === 'c' && event.ctrlKey && isNothingSelected(input.current)) {
      void navigator.clipboard.writeText(shown.value[at.value]?.command ?? '')
    } else return
    event.preventDefault()
  }
  if (chosen.value !== null) return <ChosenChange change={chosen.value} close={close} />
  return (
    <div class="palette">
      <input
        ref={input}
        type="text"
        role="combobox"
        aria-label="Find or do"
        aria-expanded="true"
        aria-controls={list}
        aria-activedescendant={shown.value.length > 0 ? `${list}-${at.value}` : undefined}
        autocomplete="off"
        spellcheck={false}
        value={text}
        onInput={({ currentTarget }) => {
          text.value = currentTarget.value
          at.value = 0
        }}
        onKeyDown={pressed}
      />
      <Found list={list} items={shown.value} at={at.value} query={text.value} open={open} />
      <p class="second">
        <kbd>↑</kbd> <kbd>↓</kbd> choose · <kbd>Enter</kbd> open, or show what it will do · <kbd>Ctrl C</kbd> copy the
        command
      </p>
    </div>
  )
}

const refusalOf = ({ refusal }: Cluster, item: PaletteItem): string | null =>
  item.group === 'Do' ? (refusal.value ?? item.refusal ?? null) : (item.refusal ?? null)

const isNothingSelected = (input: HTMLInputElement | null): boolean =>
  input === null || input.selectionStart === input.selectionEnd

interface FoundProps {
  list: string
  items: PaletteItem[]
  at: number
  query: string
  open: (item: PaletteItem) => void
}

function Found({ list, items, at, query, open }: FoundProps): JSX.Element {
  const cluster = useCluster()
  const groups = [...new Set(items.map(({ group }) => group))]
  return (
    <div role="listbox" id={list} aria-label="found" class="found">
      {items.length === 0 ? (
        <p role="option" aria-selected="false" aria-disabled="true">
          Nothing is found. Names of pages, services and machines are.
        </p>
      ) : null}
      {groups.map((group) => (
        <div key={group} role="group" aria-label={group}>
          <p class="quiet" aria-hidden="true">
            {group}
          </p>
          {items.map((item, index) => {
            if (item.group !== group) return null
            const refusal = refusalOf(cluster, item)
            return (
              <div
                key={`${item.name} ${item.command}`}
                id={`${list}-${index}`}
                role="option"
                aria-selected={index === at ? 'true' : 'false'}
                aria-disabled={refusal === null ? undefined : 'true'}
                class="item"
                onClick={() => open(item)}
              >
                <span class={item.state ? `tone-${stateOf(item.state).tone}` : 'second'}>
                  <Shape shape={item.state ? stateOf(item.state).shape : 'dash'} />
                </span>
                <span>
                  {marked(item.name, query).map((part, place) =>
                    part.isMatch ? <b key={place}>{part.text}</b> : part.text,
                  )}
                  {refusal === null ? null : <span class="why">{refusal}</span>}
                </span>
                <code class="second">$ {item.command}</code>
              </div>
            )
          })}
        </div>
      ))}
    </div>
  )
}
