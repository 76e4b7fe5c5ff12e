import type { RenderAnswer, RenderRequest } from '../../templates/request.ts'

/** Fills in the files of services on a machine. */
export interface FilesHost {
  /** Rejects if it could not be tried; a template that cannot be filled in is an answer. */
  fillIn: (request: RenderRequest) => Promise<RenderAnswer>
}
