import { readDesiredChange } from '../protocol/desiredChange.ts'
import { desiredStateSchema, type DesiredState } from '../protocol/desiredState.ts'

/**
 * Reads the desired states of one stream: the first whole, later ones also as changes. Throws where a message cannot be
 * understood or a message before it was lost. The stream is then given up, and the next one begins with a whole state.
 */
export class DesiredReader {
  #last: DesiredState | null = null

  whole(message: string): DesiredState {
    return (this.#last = desiredStateSchema.parse(JSON.parse(message)))
  }

  change(message: string): DesiredState {
    return (this.#last = readDesiredChange(this.#last, JSON.parse(message)))
  }
}
