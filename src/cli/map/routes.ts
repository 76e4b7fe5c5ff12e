import { command } from '../command.ts'
import { on } from '../routes/parameters.ts'

export const map = command({
  brief: 'Show the services and who calls whom',
  about:
    'The edges come from `uses` in the definitions, and from connections that the machines counted in the last 7 days:\n' +
    'calls that no definition names are marked undeclared, and uses that nobody calls are marked unused.',
  example: 'tandem map\ntandem map --svg > map.svg\ntandem map --mermaid',
  parameters: {
    flags: {
      svg: on('Print a drawing as SVG'),
      mermaid: on('Print a Mermaid flowchart, for a Markdown file'),
    },
  },
  load: async () => (await import('./commands.ts')).showMap,
})
