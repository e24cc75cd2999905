// Starts the page: looks first (no flash), then a pairing code from the address bar, then React.
import { QueryClientProvider } from "@tanstack/react-query";
import { StrictMode } from "react";
import { createRoot } from "react-dom/client";
import { followOtherPages } from "./api/client";
import { createQueryClient } from "./api/queries";
import { startPrefs } from "./lib/prefs";
import { takePairCode } from "./lib/route";
import { App } from "./shell/App";
import "./styles/tokens.css";
import "./styles/ui.css";
import "./styles/app.css";
import "./styles/ask.css";
import "./styles/forced.css";

startPrefs();
followOtherPages();
const code = takePairCode();
const root = document.getElementById("root");
if (root) {
  createRoot(root).render(
    <StrictMode>
      <QueryClientProvider client={createQueryClient()}>
        <App code={code} />
      </QueryClientProvider>
    </StrictMode>,
  );
}
