import type { noteOperations } from '../../api/notes.ts'
import type { Status } from '../../api/views.ts'
import type { NotesState } from '../../notes/room.ts'
import type { Handlers, Rooms } from '../handlers.ts'

export const noteHandlers = ({ controller }: Rooms): Handlers<keyof typeof noteOperations> => ({
  noteMachine: ({ params, body }) => ({
    request: () => ({ type: 'NoteMachine', machine: params.machine, text: body.text }),
    answer: () => ({ position: controller.state.position }),
  }),
})

export const noteViews = ({ notes }: NotesState): Status['notes'] =>
  Object.entries(notes)
    .map(([machine, { text, at }]) => ({ machine, text, at: new Date(at).toISOString() }))
    .toSorted((a, b) => (a.machine < b.machine ? -1 : 1))
