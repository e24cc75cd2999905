//! The kill test. It needs `strace`, so it runs on Linux; elsewhere there is nothing to run.

#[cfg(target_os = "linux")]
mod linux;

fn main() {
    #[cfg(target_os = "linux")]
    linux::main();
}
