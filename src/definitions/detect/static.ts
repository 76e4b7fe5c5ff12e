import type { Folder } from './folder.ts'
import type { Finding } from './renderYaml.ts'

/** Folders in which sites are kept or built, tried after the project's own folder. */
const siteFolders = ['public', 'dist', 'site', 'www', '_site', 'build']

/** A site served from its project's folder would show every file in it. */
const unseen = ['/tandem.yaml', '/.tandemignore', '/.gitignore', '.env']

export async function detectStatic(folder: Folder): Promise<Finding | null> {
  const python = ['python3', '-m', 'http.server', '${PORT}', '--bind', '${HOST}']
  if (folder.has('index.html')) return { found: 'a static site (index.html)', run: python, unseen }
  for (const name of siteFolders) {
    if ((await folder.read(`${name}/index.html`)) === null) continue
    return { found: `a static site (${name}/index.html)`, run: python, build: { output: name } }
  }
  return null
}
