import type { JSX } from 'preact'
import { AfterPaint } from '../lib/afterPaint.tsx'
import { useCluster } from '../lib/cluster.ts'
import { PageFrame } from '../lib/page.tsx'
import { Addresses } from './addresses.tsx'
import { Certificates } from './certificates.tsx'
import { ChangedBefore } from './changedBefore.tsx'
import { ChangingNow } from './changingNow.tsx'
import { ControllerPart } from './controllerPart.tsx'
import { headline } from './headline.ts'
import './overview.css'
import { ServicesTable } from './servicesTable.tsx'
import { Stores } from './stores.tsx'
import { WrongNow } from './wrongNow.tsx'

export function OverviewPage(): JSX.Element {
  const { overview, contact, now, past } = useCluster()
  const { value } = overview
  if (value === null) return <PageFrame title="Reading the state of the cluster" />
  const { state, asOf } = contact.value
  return (
    <PageFrame title={headline(value, past?.at ?? (state === 'lost' ? asOf : null))}>
      <div class={`overview ${state === 'lost' ? 'not-live' : ''}`}>
        <AfterPaint>
          <div class="three">
            <WrongNow wrong={value.wrong} now={now.value} />
            <ChangingNow overview={value} now={now.value} />
            <ChangedBefore changes={value.changes} now={now.value} />
          </div>
          <AfterPaint>
            <ServicesTable overview={value} now={now.value} />
            <div class="feet">
              <Addresses addresses={value.addresses} now={now.value} />
              <Certificates certificates={value.certificates} now={now.value} />
              <Stores overview={value} />
              <ControllerPart overview={value} now={now.value} />
            </div>
          </AfterPaint>
        </AfterPaint>
      </div>
    </PageFrame>
  )
}
