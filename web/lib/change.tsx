import { useSignal } from '@preact/signals'
import type { JSX } from 'preact'
import { useEffect, useRef } from 'preact/hooks'
import type { DryRun } from '../../src/api/operation.ts'
import { Action } from './action.tsx'
import { useCluster } from './cluster.ts'
import { Command } from './command.tsx'
import { Dialog } from './dialog.tsx'
import { refusalWords, useRehearsal } from './rehearsal.ts'
import { address } from './router.ts'

export interface ChangeProps {
  label: string
  /** The heading of the dialog: the change with its object. */
  title: string
  /** Says what it will do, beside the button. */
  sentence: string
  /** The effect on each machine; the controller's own steps follow. */
  steps?: readonly string[]
  /** The command that does the same. */
  command: string
  danger?: boolean
  /** Why it cannot be, where the page knows it: the controller is not asked then. */
  refusal?: string | null
  ask: (signal: AbortSignal) => Promise<DryRun>
  /** Another one: the controller is asked again. */
  version: string
  run: () => Promise<unknown>
}

/** A change of the cluster: its button says why it cannot be done, or opens a dialog with its steps. */
export function Change({
  label,
  title,
  sentence,
  steps = [],
  command,
  danger,
  refusal = null,
  ...call
}: ChangeProps): JSX.Element {
  const isOpen = useSignal(false)
  const result = useSignal<string | null>(null)
  const rehearsal = useRehearsal(call.ask, refusal === null ? call.version : null)
  const { value: decided } = rehearsal
  const why = refusal ?? (decided.state === 'refused' ? decided.why : null)
  const next = refusal === null && decided.state === 'refused' ? decided.next : null
  const close = (): void => {
    isOpen.value = false
  }
  const run = (): void => {
    close()
    result.value = 'Asked the controller.'
    call.run().then(
      () => (result.value = 'Done: the controller has begun.'),
      (error: unknown) => {
        const refused = refusalWords(error)
        result.value = refused.next === null ? refused.why : `${refused.why} ${refused.next}`
      },
    )
  }
  return (
    <>
      <Action
        {...{ label, command, danger: danger === true }}
        refusal={why === null || next === null ? why : `${why} ${sentenceOf(next)}`}
        run={() => (isOpen.value = true)}
      >
        {result.value ?? sentence}
      </Action>
      <Dialog label={title} isOpen={isOpen.value} close={close}>
        <Steps
          {...{ label, sentence, steps, command, run, close }}
          decided={decided.state === 'may' ? decided.steps : []}
        />
      </Dialog>
    </>
  )
}

/** A change that somebody has chosen: its steps, or why it cannot be; then the controller's answer. */
export function ChosenChange({ change, close }: { change: ChangeProps; close: () => void }): JSX.Element {
  const { label, title, sentence, steps = [], command } = change
  const result = useSignal<string | null>(null)
  const rehearsal = useRehearsal(change.ask, (change.refusal ?? null) === null ? change.version : null)
  const { value: decided } = rehearsal
  const run = (): void => {
    result.value = 'Asked the controller.'
    const before = address.peek().path
    change.run().then(
      () => {
        // A change with a page of its own has gone there.
        if (address.peek().path === before) result.value = 'Done: the controller has begun.'
        else close()
      },
      (error: unknown) => {
        result.value = refusalWords(error).why
      },
    )
  }
  const all = useRef<HTMLDivElement>(null)
  useEffect(() => all.current?.querySelector<HTMLElement>('[autofocus]')?.focus(), [])
  return (
    <div ref={all}>
      <h3>{title}</h3>
      <Steps
        {...{ label, sentence, steps, command, run, close }}
        decided={decided.state === 'may' ? decided.steps : []}
        refused={change.refusal ?? (decided.state === 'refused' ? decided.why : null)}
      />
      <p role="status">{result}</p>
    </div>
  )
}

/** The way out of a refusal: a command, or words. */
const sentenceOf = (next: string): string => (next.startsWith('tandem ') ? `Try: ${next}` : next)

interface StepsProps extends Pick<ChangeProps, 'label' | 'sentence' | 'command'> {
  steps: readonly string[]
  decided: readonly string[]
  /** Why the controller would not do it. */
  refused?: string | null
  run: () => void
  close: () => void
}

function Steps({ label, sentence, steps, decided, refused = null, command, run, close }: StepsProps): JSX.Element {
  const { refusal } = useCluster()
  const why = refusal.value ?? refused
  return (
    <>
      <p>{sentence}</p>
      {steps.length > 0 && (
        <ul class="steps">
          {steps.map((step) => (
            <li key={step}>{step}</li>
          ))}
        </ul>
      )}
      {decided.length > 0 && (
        <>
          <h3>The controller would begin with</h3>
          <ol class="steps">
            {decided.map((step, index) => (
              // Steps stay in their order, and two may have the same words.
              <li key={`${index} ${step}`}>{step}</li>
            ))}
          </ol>
        </>
      )}
      <p class="second">
        <Command>{command}</Command>
      </p>
      <footer>
        {/* Focus begins where a keystroke changes nothing. */}
        <button type="button" autofocus onClick={close}>
          Leave it
        </button>
        <button
          type="button"
          class="danger"
          aria-disabled={why === null ? undefined : 'true'}
          onClick={() => {
            if (why === null) run()
          }}
        >
          {label}
        </button>
        {why === null ? null : <strong>{why}</strong>}
      </footer>
    </>
  )
}
