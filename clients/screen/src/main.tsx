import '@fontsource/barlow/latin-500.css';
import '@fontsource/barlow/latin-600.css';
import './style/base.css';
import './style/pages.css';
import './style/board.css';
import './style/panels.css';
import './style/totals.css';
import './style/lists.css';
import { StrictMode } from 'react';
import { createRoot } from 'react-dom/client';
import { Provider } from 'urql';
import { App } from './app';
import { createConnection } from './connection/client';
import { MonitorContext } from './connection/monitor';
import { RouteProvider } from './features/route';

const { client, session, monitor } = createConnection();

createRoot(document.getElementById('root')!).render(
  <StrictMode>
    <Provider value={client}>
      <MonitorContext value={monitor}>
        <RouteProvider>
          <App session={session} />
        </RouteProvider>
      </MonitorContext>
    </Provider>
  </StrictMode>,
);
