import react from '@vitejs/plugin-react';
import { defineConfig } from 'vitest/config';

// The binary serves the build under /screen/ with a strict
// Content-Security-Policy: everything is a file of the build, nothing inline.
// `npm run dev` passes what is the server's on to CITIZENCLOUD_URL.
const server = process.env.CITIZENCLOUD_URL ?? 'http://127.0.0.1:8080';

export default defineConfig({
  base: '/screen/',
  plugins: [react()],
  server: { proxy: { '/graphql': { target: server, changeOrigin: true } } },
  build: {
    outDir: 'dist',
    sourcemap: false,
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
    target: 'chrome109',
    rolldownOptions: {
      output: {
        codeSplitting: {
          groups: [{ name: 'echarts', test: /node_modules[\\/](echarts|zrender)/ }],
        },
      },
    },
  },
  test: { include: ['src/**/*.test.ts'], environment: 'node' },
});
