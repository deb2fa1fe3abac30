//! What every transport must keep, on a good way and on a slow one.

mod breaking;
mod bulk;
mod traffic;

macro_rules! contract {
    ($($case:ident in $file:ident,)*) => {
        contract!(tcp_tls, TcpTls, false, $($case in $file,)*);
        contract!(tcp_tls_slow, TcpTls, true, $($case in $file,)*);
        contract!(https_upgrade, HttpsUpgrade, false, $($case in $file,)*);
        contract!(https_upgrade_slow, HttpsUpgrade, true, $($case in $file,)*);
        contract!(long_poll, LongPoll, false, $($case in $file,)*);
        contract!(long_poll_slow, LongPoll, true, $($case in $file,)*);
    };
    ($module:ident, $transport:ident, $slow:literal, $($case:ident in $file:ident,)*) => {
        mod $module {
            use crate::Transport;
            use crate::tests::lab::Way;

            $(
                #[tokio::test]
                async fn $case() {
                    super::$file::$case(Way { transport: Transport::$transport, slow: $slow }).await;
                }
            )*
        }
    };
}

contract! {
    a_request_and_its_answer_cross_with_all_they_have in traffic,
    many_requests_at_once_each_get_their_own_answer in traffic,
    a_hung_request_harms_no_other in traffic,
    requests_given_up_all_at_once_harm_no_other in traffic,
    as_many_as_agreed_are_under_way_and_the_rest_wait in traffic,
    a_large_body_arrives_intact_both_ways in bulk,
    a_large_body_flows_only_as_fast_as_it_is_read in bulk,
    bodies_that_nobody_reads_harm_no_other in bulk,
    what_was_sent_is_lost_by_a_cut_and_what_was_not_comes_back in breaking,
    requests_that_wait_for_their_turn_come_back_from_a_cut in breaking,
    a_cut_channel_is_dialled_again in breaking,
    a_link_that_breaks_is_noticed_at_both_ends in breaking,
    a_stopped_connector_leaves_nothing_behind in breaking,
    a_drained_connector_finishes_what_is_under_way in breaking,
    a_gateway_that_shuts_down_lets_requests_under_way_finish in breaking,
    a_gateway_that_restarts_is_found_again in breaking,
    a_partition_that_heals_costs_nothing_but_time in breaking,
    a_partition_that_stays_is_given_up in breaking,
    a_stranger_gets_no_channel in breaking,
}
