import type { JSX } from 'preact'
import { useCluster } from '../lib/cluster.ts'
import { setQuery } from '../lib/router.ts'
import type { LogModel } from './logModel.ts'
import { grouped } from '../lib/numbers.ts'
import { shortInstance, type LogQuery } from './logQuery.ts'

interface FieldsProps {
  query: LogQuery
  model: LogModel
  /** Another one: the model has other counts. */
  version: number
}

interface Choice {
  value: string
  shown: string
  lines: number
}

/** Machines and instances to choose from, with the lines that are read of each. */
export function Fields({ query, model }: FieldsProps): JSX.Element {
  const { overview } = useCluster()
  const { service } = query
  const running = overview.value?.services.find((one) => one.service === service)?.instances ?? []
  const [machines, instances] = [new Map<string, number>(), new Map<string, number>()]
  for (const { name } of overview.value?.machines ?? []) machines.set(name, 0)
  for (const { id } of running) instances.set(id, 0)
  for (const [instance, { machine, lines }] of model.counts) {
    machines.set(machine, (machines.get(machine) ?? 0) + lines)
    instances.set(instance, lines)
  }
  const choices = (all: Map<string, number>): Choice[] =>
    [...all]
      .map(([value, lines]) => ({ value, lines, shown: shortInstance(value, service) }))
      .toSorted((a, b) => (a.value < b.value ? -1 : 1))
  return (
    <>
      <Field name="machine" chosen={query.machine} choices={choices(machines)} />
      <Field name="instance" chosen={query.instance} choices={choices(instances)} />
    </>
  )
}

interface FieldProps {
  name: 'machine' | 'instance'
  chosen: string | null
  choices: Choice[]
}

function Field({ name, chosen, choices }: FieldProps): JSX.Element {
  const isChosen = ({ value }: Choice): boolean =>
    name === 'instance' ? chosen !== null && value.startsWith(chosen) : value === chosen
  return (
    <fieldset class="field">
      <legend>{name}</legend>
      {choices.map((choice) => (
        <button
          key={choice.value}
          type="button"
          class="plain"
          aria-pressed={isChosen(choice)}
          onClick={() => setQuery({ [name]: isChosen(choice) ? null : choice.value })}
        >
          <span>{choice.shown}</span>
          <span class="count">
            {isChosen(choice) ? '× ' : ''}
            {grouped(choice.lines)}
          </span>
        </button>
      ))}
    </fieldset>
  )
}
