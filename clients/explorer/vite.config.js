import { defineConfig } from 'vite';

// The page is served by the binary under /explorer/ with a strict
// Content-Security-Policy: everything must be a file of the build.
export default defineConfig({
  base: '/explorer/',
  build: {
    outDir: 'dist',
    sourcemap: false,
    modulePreload: { polyfill: false },
    chunkSizeWarningLimit: 4000,
    assetsInlineLimit: 0,
  },
});
