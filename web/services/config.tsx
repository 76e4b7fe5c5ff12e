import { useSignal } from '@preact/signals'
import type { JSX } from 'preact'
import { useCallback } from 'preact/hooks'
import type { Operations, Result } from '../../src/api/contract.ts'
import type { SettingView } from '../../src/api/config.ts'
import type { Api } from '../lib/api.ts'
import { Change } from '../lib/change.tsx'
import { useCluster } from '../lib/cluster.ts'
import { Glyph } from '../lib/glyph.tsx'
import { Table } from '../lib/table.tsx'
import { shellWord } from '../lib/shellWord.ts'
import { shortTime } from '../lib/time.ts'
import { useAgain } from '../lib/useAgain.ts'
import { visible } from '../lib/visible.ts'
import { changesOf, differences, valueOf, valuesOf } from './configWords.ts'

/** Each change of the cluster brings it at once. */
const againMs = 60_000

type Known = Result<Operations['serviceConfig']>

/** The settings of a service: their values, who changed them, and the way back. */
export function Config({ service }: { service: string }): JSX.Element | null {
  const { past } = useCluster()
  const known = useConfig(service)
  if (known === null || known.settings.length === 0 || past !== null) return null
  return (
    <section class="what" aria-labelledby="config">
      <h2 id="config">
        Configuration <span class="count">{known.newest ?? 'defaults'}</span>
      </h2>
      <Table label="configuration" heads={['setting', 'value', 'runs with', 'fits']}>
        {known.settings.map((one) => (
          <tr key={one.name}>
            <th scope="row">{one.name}</th>
            <td>{shown(valueOf(one), one.set === null)}</td>
            <td>{one.runs === valueOf(one) ? shown(one.runs) : <Glyph state="behind">{one.runs ?? 'none'}</Glyph>}</td>
            <td class="second">
              {one.known ? `${one.type}${one.required ? ', required' : ''}` : 'unknown to this release'}
            </td>
          </tr>
        ))}
      </Table>
      {known.rejected !== null && known.rejected === known.newest ? (
        <p>
          <Glyph state="reverted">{`configuration ${known.rejected} was reverted`}</Glyph>: rollouts use the last good
          one until it changes.
        </p>
      ) : null}
      <Set known={known} />
      <Undo known={known} />
      <Versions known={known} />
    </section>
  )
}

const shown = (value: string | null, isDefault = false): JSX.Element =>
  value === null ? (
    <span class="quiet">not set</span>
  ) : (
    <>
      {visible(value)} {isDefault ? <span class="second">default</span> : null}
    </>
  )

/** Sets one value; the difference stands in the dialog. */
function Set({ known }: { known: Known }): JSX.Element | null {
  const { api } = useCluster()
  const chosen = useSignal<string | null>(null)
  const typed = useSignal<string | null>(null)
  const settings = known.settings.filter((one) => one.known)
  const setting = settings.find(({ name }) => name === chosen.value) ?? settings[0]
  if (setting === undefined) return null
  const { service, newest } = known
  const { name } = setting
  const value = typed.value ?? valueOf(setting) ?? ''
  const params = { service }
  const body = { set: { [name]: value }, cas: newest ?? 0 }
  return (
    <>
      <Change
        label="Set"
        title={`Set ${name} of ${service}`}
        sentence={`Stores the value. Instances get it when ${service} restarts.`}
        steps={differences(valuesOf(known.versions), { ...valuesOf(known.versions), [name]: value })}
        command={`tandem config set ${service} ${shellWord(`${name}=${value}`)}`}
        refusal={setting.set === value ? `Nothing to do: ${name} has this value.` : null}
        version={`${newest} ${name} ${value}`}
        ask={(signal) => api.rehearse('changeConfig', { params, body }, signal)}
        run={() => api.call('changeConfig', { params, body })}
      />
      <p class="choice">
        <label>
          setting{' '}
          <select
            value={name}
            onChange={({ currentTarget }) => {
              chosen.value = currentTarget.value
              typed.value = null
            }}
          >
            {settings.map((one) => (
              <option key={one.name} value={one.name}>
                {one.name}
              </option>
            ))}
          </select>
        </label>{' '}
        <label>
          value <Value setting={setting} value={value} typed={(text) => (typed.value = text)} />
        </label>
      </p>
    </>
  )
}

interface ValueProps {
  setting: SettingView
  value: string
  typed: (text: string) => void
}

function Value({ setting, value, typed }: ValueProps): JSX.Element {
  if (setting.type === 'boolean')
    return (
      <select value={value} onChange={({ currentTarget }) => typed(currentTarget.value)}>
        {value === '' ? <option value="">not set</option> : null}
        <option value="true">true</option>
        <option value="false">false</option>
      </select>
    )
  return <input value={value} onInput={({ currentTarget }) => typed(currentTarget.value)} />
}

/** Goes back to the version before the newest. */
function Undo({ known }: { known: Known }): JSX.Element | null {
  const { api } = useCluster()
  const { service, newest, versions } = known
  const before = versions[1]
  if (before === undefined) return null
  const params = { service }
  const body = { version: before.version }
  return (
    <Change
      label="Undo"
      title={`Undo configuration ${newest} of ${service}`}
      sentence={`Stores configuration ${before.version} again. Instances get it when ${service} restarts.`}
      steps={differences(valuesOf(versions), before.values)}
      command={`tandem config rollback ${service} --version ${before.version}`}
      version={String(newest)}
      ask={(signal) => api.rehearse('rollbackConfig', { params, body }, signal)}
      run={() => api.call('rollbackConfig', { params, body })}
    />
  )
}

function Versions({ known: { versions, runs } }: { known: Known }): JSX.Element | null {
  const { now } = useCluster()
  if (versions.length === 0) return null
  const changes = changesOf(versions)
  return (
    <Table label="versions of the configuration" heads={[{ number: 'version' }, 'change', 'by', 'when']}>
      {versions.slice(0, 8).map(({ version, at, by, reason }, index) => (
        <tr key={version}>
          <td class="number">{version === runs ? <strong>{version}</strong> : version}</td>
          <td>
            {changes[index]?.map((line) => (
              <div key={line}>{visible(line)}</div>
            ))}
            {reason === null ? null : <div class="second">{visible(reason)}</div>}
          </td>
          <td>{by ?? <span class="quiet">not recorded</span>}</td>
          <td>
            <time dateTime={at}>{shortTime(at, now.value)}</time>
          </td>
        </tr>
      ))}
    </Table>
  )
}

function useConfig(service: string): Known | null {
  const { overview } = useCluster()
  const read = useCallback(
    (api: Api, stop: AbortSignal) => api.call('serviceConfig', { params: { service } }, stop),
    [service],
  )
  const known = useAgain(read, againMs, String(overview.value?.changes[0]?.position))
  return known.value?.service === service ? known.value : null
}
