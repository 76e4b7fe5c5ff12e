import type { JSX } from 'preact'
import { useCluster } from '../lib/cluster.ts'
import { NextSteps } from '../lib/nextSteps.tsx'
import { Shape } from '../lib/glyph.tsx'
import type { Shape as ShapeName } from '../lib/states.ts'
import { shortTime } from '../lib/time.ts'
import { keyed, placesOf, type Problem } from './problems.ts'

const shapes: Record<string, ShapeName> = { lost: 'dashed', 'not joined': 'ring', drained: 'square', draining: 'low' }

const shapeOf = ({ word, tone }: Problem): ShapeName => shapes[word] ?? (tone === 'bad' ? 'cross' : 'triangle')

/** Everything that needs attention, the most urgent first. Each leads to its last lines, or says what to do. */
export function WrongNow({ wrong, now }: { wrong: Problem[]; now: number }): JSX.Element {
  const { past } = useCluster()
  return (
    <section class="wrong" aria-labelledby="wrong-now">
      <h2 id="wrong-now">
        Wrong {past === null ? 'now' : 'then'} <span class="count">{wrong.length}</span>
      </h2>
      {wrong.length === 0 && <p class="quiet">Nothing.</p>}
      <ul>
        {keyed(wrong).map(([key, problem]) => (
          <Row key={key} problem={problem} now={now} />
        ))}
      </ul>
    </section>
  )
}

function Row({ problem, now }: { problem: Problem; now: number }): JSX.Element {
  const { tone, word, subject, text, since, machine } = problem
  // The machine's page says it in full, so that a notice does not push the services off the screen.
  const isShort = tone === 'warn' && machine !== null
  return (
    <li>
      <span class={`state tone-${tone}`}>
        <Shape shape={shapeOf(problem)} />
        <span class="word">{word}</span>
      </span>
      <div class="said">
        <p class={isShort ? 'short' : ''}>
          <b>{subject}</b>
          {text.slice(subject.length)}
        </p>
        <NextSteps problem={problem} isShort={isShort} />
      </div>
      <div class="links">
        {since !== null && <time dateTime={since}>{shortTime(since, now)}</time>}
        {placesOf(problem).map(([href, name]) => (
          <a key={name} href={href}>
            {name}
          </a>
        ))}
      </div>
    </li>
  )
}
