import type { JSX, TargetedEvent } from 'preact'
import { useCluster } from '../lib/cluster.ts'
import { Command } from '../lib/command.tsx'
import { queryWith, setQuery } from '../lib/router.ts'
import { commandOf, filterNames, kindQuery, kinds, type Filter, type FilterName, type Kind } from './filter.ts'

/** Names of fields as people read them. */
const labels: Record<FilterName, string> = {
  service: 'service',
  machine: 'machine',
  rollout: 'rollout',
  type: 'type',
  by: 'who',
}

const kindNames: Record<Kind, string> = {
  changes: 'Changes',
  people: 'By people',
  failures: 'Failures',
  all: 'All events',
}

/** The filter of the address, as fields; the equal command stands beside it. */
export function FilterForm({ filter }: { filter: Filter }): JSX.Element {
  const { overview } = useCluster()
  const names: Partial<Record<FilterName, string[]>> = {
    service: overview.value?.services.map(({ service }) => service) ?? [],
    machine: overview.value?.machines.map(({ name }) => name) ?? [],
  }
  const isFiltered = filterNames.some((name) => filter[name] !== undefined)
  return (
    <form class="timeline-filters" onSubmit={(event) => event.preventDefault()}>
      <div class="choice" role="group" aria-label="which events">
        {kinds.map((kind) => (
          <a
            key={kind}
            href={`/timeline${queryWith(kindQuery(kind))}`}
            aria-current={filter.kind === kind ? 'true' : undefined}
          >
            {kindNames[kind]}
          </a>
        ))}
      </div>
      {filterNames.map((name) => (
        <Field key={name} name={name} value={filter[name] ?? ''} known={names[name] ?? null} />
      ))}
      {isFiltered ? (
        <a href={`/timeline${queryWith(Object.fromEntries(filterNames.map((name) => [name, null])))}`}>no filter</a>
      ) : null}
      <Command>{commandOf(filter)}</Command>
    </form>
  )
}

interface FieldProps {
  name: FilterName
  value: string
  /** The values to choose from; `null`: any text. */
  known: string[] | null
}

function Field({ name, value, known }: FieldProps): JSX.Element {
  const set = (event: TargetedEvent<HTMLInputElement | HTMLSelectElement>): void => {
    const text = event.currentTarget.value.trim()
    setQuery({ [name]: text === '' ? null : text })
  }
  if (known === null) {
    return (
      <label class={value === '' && name !== 'by' ? 'is-empty' : ''}>
        {labels[name]} <input type="text" name={name} value={value} size={10} spellcheck={false} onChange={set} />
      </label>
    )
  }
  const all = value === '' || known.includes(value) ? known : [value, ...known]
  return (
    <label>
      {labels[name]}{' '}
      <select name={name} value={value} onChange={set}>
        <option value="">all</option>
        {all.map((one) => (
          <option key={one} value={one}>
            {one}
          </option>
        ))}
      </select>
    </label>
  )
}
