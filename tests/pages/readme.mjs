// Makes readme.png, the picture of README.md: `CALHOST_URL=http://127.0.0.1:8080 npm run picture`.
import { fileURLToPath } from "node:url";
import { base, launch, open } from "./browser.mjs";

const viewport = { width: 620, height: 720 };
const browser = await launch();
const { page } = await open(browser, { viewport, colorScheme: "light" });
await page.goto(`${base}/sandbox/connect`);
const consent = await page.screenshot();
await page.getByRole("button", { name: "Allow" }).click();
const landing = await page.screenshot();

// Side by side, on a page of its own.
const { page: sheet } = await open(browser, {
  viewport: { width: 2 * viewport.width + 60, height: viewport.height + 40 },
});
const picture = (png) => `<img src="data:image/png;base64,${png.toString("base64")}">`;
await sheet.setContent(
  `<style>body { margin: 20px; display: flex; gap: 20px; background: #d0d7de }</style>
   ${picture(consent)}${picture(landing)}`,
);
await sheet.screenshot({ path: fileURLToPath(new URL("readme.png", import.meta.url)) });
await browser.close();
