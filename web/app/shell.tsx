import { useSignal } from '@preact/signals'
import type { JSX } from 'preact'
import { useEffect } from 'preact/hooks'
import { barLinks } from '../features.ts'
import { ClusterContext } from '../lib/cluster.ts'
import { addKeys, type Key } from '../lib/keys.ts'
import { openCommand } from '../lib/openCommand.ts'
import { go } from '../lib/router.ts'
import { Account } from './account.tsx'
import { Bar } from './bar.tsx'
import type { Opened } from './cluster.ts'
import { Dialog } from '../lib/dialog.tsx'
import { InTime } from './inTime.tsx'
import { KeysHelp } from './keysHelp.tsx'
import { lazy } from './lazy.tsx'
import { PageHost } from './pageHost.tsx'
import { withinPast } from './pastAddress.ts'
import { switchScheme } from './scheme.ts'
import { Strip } from './strip.tsx'

/** Loaded when somebody looks for something, so that the overview stays small. */
const loadPalette = async () => (await import('./palette.tsx')).Palette
const Palette = lazy(loadPalette)
/** It is loaded this long after the page at the latest, so that it takes every letter typed after Ctrl K. */
const preloadMs = 3_000

type OpenDialog = 'keys' | 'account' | 'palette' | null

/** Everything around the pages: bar, notice of an outage, dialogs. */
export function Shell({ opened, ended }: { opened: Opened; ended: () => void }): JSX.Element {
  const dialog = useSignal<OpenDialog>(null)
  // The event that one was closed may come after another has been opened.
  const close = (which: OpenDialog) => (): void => {
    if (dialog.value === which) dialog.value = null
  }
  useEffect(() => {
    const anywhere: Key[] = [
      { keys: 'Ctrl+k', does: 'Find or do', group: 'Anywhere', run: () => (dialog.value = 'palette') },
      { keys: '?', does: 'These keys', group: 'Anywhere', run: () => (dialog.value = 'keys') },
      { keys: 't', does: 'Dark or light', group: 'Anywhere', run: switchScheme },
      {
        ...{ keys: 'c', does: 'Copy the command that opens this page', group: 'Anywhere' },
        run: () => void navigator.clipboard.writeText(openCommand()),
      },
    ]
    const places = barLinks.map(({ name, path, key }): Key => {
      return {
        keys: `g ${key}`,
        does: name,
        group: 'Go to',
        run: () => go(withinPast(new URL(path, location.href)).href),
      }
    })
    return addKeys([...anywhere, ...places])
  }, [dialog])
  useEffect(() => {
    const timer = setTimeout(() => void loadPalette().catch(() => {}), preloadMs) // whoever opens it tries again
    return () => clearTimeout(timer)
  }, [])
  const signOut = (): void => {
    // Without an answer the session stays, but nobody has its key any more.
    opened.cluster.api.call('endSession', {}).then(ended, ended)
  }
  return (
    <ClusterContext.Provider value={opened.cluster}>
      <Bar
        onFind={() => (dialog.value = 'palette')}
        onAccount={() => (dialog.value = 'account')}
        onKeys={() => (dialog.value = 'keys')}
      />
      <Strip tryNow={opened.tryNow} />
      <InTime>
        <PageHost />
        <Dialog label="Find or do" isOpen={dialog.value === 'palette'} close={close('palette')}>
          <Palette close={close('palette')} />
        </Dialog>
      </InTime>
      <Dialog label="Keys" isOpen={dialog.value === 'keys'} close={close('keys')}>
        <KeysHelp />
      </Dialog>
      <Dialog label="Signed in" isOpen={dialog.value === 'account'} close={close('account')}>
        <Account openCommand={openCommand()} signOut={signOut} />
      </Dialog>
    </ClusterContext.Provider>
  )
}
