// Decides between pairing and the dashboard, and keeps the event stream open while there is a token.
import { useQueryClient } from "@tanstack/react-query";
import { useCallback, useEffect, useState } from "react";
import { auth } from "../api/client";
import { startLive } from "../api/live";
import { useStore } from "../lib/store";
import { Frame } from "./Frame";
import { PairPage } from "./PairPage";

export function App({ code }: { code: string | null }) {
  const { token } = useStore(auth);
  const client = useQueryClient();
  // A code from the address bar is used even when there is an old token: the person asked for it.
  const [unused, setUnused] = useState(code);
  const used = useCallback(() => setUnused(null), []);
  useEffect(() => {
    if (token === null) {
      client.clear();
      return;
    }
    return startLive(client);
  }, [token, client]);
  return token === null || unused !== null ? <PairPage code={unused} onUsed={used} /> : <Frame />;
}
