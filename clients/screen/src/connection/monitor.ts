// What the page knows about its connection, for whoever shows it.
import { createContext, use, useSyncExternalStore } from 'react';
import type { LiveState } from './live';

export class Monitor {
  private state: LiveState = { kind: 'connecting', attempt: 0 };
  private readonly listeners = new Set<() => void>();

  set = (state: LiveState): void => {
    this.state = state;
    for (const listener of this.listeners) listener();
  };

  get = (): LiveState => this.state;

  watch = (listener: () => void): (() => void) => {
    this.listeners.add(listener);
    return () => this.listeners.delete(listener);
  };
}

export const MonitorContext = createContext(new Monitor());

/** The state of the connection; renders anew when it changes. */
export function useConnection(): LiveState {
  const monitor = use(MonitorContext);
  return useSyncExternalStore(monitor.watch, monitor.get);
}
