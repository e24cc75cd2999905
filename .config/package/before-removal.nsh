; Before the Windows uninstaller removes anything: the apps get their own configs back while there is still a program that
; can do it. The person's state stays, and with it the small shim in it. An update changes nothing.
!macro NSIS_HOOK_PREUNINSTALL
  ${If} $UpdateMode <> 1
  ${AndIf} ${FileExists} "$INSTDIR\portcullis.exe"
    DetailPrint "Giving the apps their own configs back"
    nsExec::ExecToLog '"$INSTDIR\portcullis.exe" restore --all --yes'
    Pop $0
  ${EndIf}
!macroend
