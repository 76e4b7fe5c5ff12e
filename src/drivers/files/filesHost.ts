import type { CarriedContent } from '../supervisor/supervisor.ts'
import type { RenderAnswer, RenderRequest } from '../../templates/request.ts'

export interface AskedFiles {
  service: string
  generation: string
  /** The order of the controller about the service; `null`: there is none. */
  order: CarriedContent | null
  /** Everything that the files are made of, where this process may know it. */
  request: RenderRequest
}

export interface AskedText {
  service: string
  release: string
  /** With other texts in the place of secrets. */
  request: RenderRequest
}

/** Fills in the files of services on a machine. */
export interface FilesHost {
  /**
   * Rejects if it could not be tried; a template that cannot be filled in, and a check that fails, is an answer.
   * `isKept`: the host has them, and its checks accepted them.
   */
  fillIn: (asked: AskedFiles) => Promise<RenderAnswer | { isKept: true }>
  /** Removes the files of all other generations, by service. Left out: the host keeps none. */
  keepOnly?: (generations: Readonly<Record<string, readonly string[]>>) => Promise<void>
  /** The texts of files, for people. */
  show: (asked: AskedText) => Promise<RenderAnswer>
}
